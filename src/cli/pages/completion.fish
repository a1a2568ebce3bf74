@NOTE@
function __coder_sms_register_is -a wanted
	set -l command
	set -l skip
	for word in (commandline -opc)[2..]
		if set -q skip[1]
			set skip
		else if test "$word" = --env-file
			set skip yes
		else if not string match -q -- '-*' $word
			set command $word
			break
		end
	end
	test "$command" = "$wanted"
end
function __coder_sms_register_accounts
	set -l words (commandline -opc)
	set -l env_file (string match -r -- '^--env-file=.*' $words)
	if set -l at (contains -i -- --env-file $words)
		set env_file --env-file $words[(math $at + 1)]
	end
	command $words[1] $env_file @LIST_ACCOUNTS@
end
complete -c @PROGRAM@ -f
@LINES@