# Written by a test from src/cli: make pages
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
	command $words[1] $env_file extend --all --dry-run --json 1m 2>/dev/null | grep -o '"username":"[^"]*"' | cut -d '"' -f 4
end
complete -c coder-sms-register -f
complete -c coder-sms-register -l env-file -r -F -d 'read settings from FILE, in the form of .env-template; the environment takes precedence'
complete -c coder-sms-register -s h -l help -d 'print help, also of one command: COMMAND --help'
complete -c coder-sms-register -s V -l version -d 'print the version'
complete -c coder-sms-register -n '__coder_sms_register_is' -a run -d 'run the service: accept texts, create accounts, remove them in time (the default)'
complete -c coder-sms-register -n '__coder_sms_register_is' -a config -d 'print the settings as they are understood, with secrets masked, or all faults in them'
complete -c coder-sms-register -n '__coder_sms_register_is' -a check -d 'check that everything is ready for class: settings, data folder, Redis, Coder, Twilio, public URL, clock and phrase'
complete -c coder-sms-register -n '__coder_sms_register_is' -a healthcheck -d 'ask the running service whether it can accept texts; print ok or what is wrong'
complete -c coder-sms-register -n '__coder_sms_register_is' -a status -d 'show the class: accounts, their time, logins, and what needs you'
complete -c coder-sms-register -n '__coder_sms_register_is' -a projector -d 'print the link of the page for the projector, which shows the phrase, the number and how many are in; the service may be running or stopped'
complete -c coder-sms-register -n '__coder_sms_register_is' -a extend -d 'give accounts more time; the service may be running or stopped'
complete -c coder-sms-register -n '__coder_sms_register_is' -a end -d 'end the time of accounts now; the service may be running or stopped'
complete -c coder-sms-register -n '__coder_sms_register_is' -a renew -d 'give an account another password, for instance after others have seen it; the service may be running or stopped'
complete -c coder-sms-register -n '__coder_sms_register_is' -a forget -d 'erase all data about a phone, and end its account; the service may be running or stopped'
complete -c coder-sms-register -n '__coder_sms_register_is' -a retry -d 'serve dead letters (texts that were given up) again; without SID list them'
complete -c coder-sms-register -n '__coder_sms_register_is' -a drop -d 'discard dead letters (texts that were given up); without SID list them'
complete -c coder-sms-register -n '__coder_sms_register_is' -a reconcile -d 'find our accounts in Coder that are missing from the database, and have them removed in time'
complete -c coder-sms-register -n '__coder_sms_register_is' -a campaign -d 'print what to write into the forms of the carriers of the United States (A2P 10DLC campaign, toll-free verification)'
complete -c coder-sms-register -n '__coder_sms_register_is' -a backup -d 'copy the database to FILE, or with - to standard output; the service may be running'
complete -c coder-sms-register -n '__coder_sms_register_is' -a restore -d 'replace the database with FILE, or with - from standard input; the service must be stopped'
complete -c coder-sms-register -n '__coder_sms_register_is' -a help -d 'print help, also of one command'
complete -c coder-sms-register -n '__coder_sms_register_is' -a version -d 'print the version'
complete -c coder-sms-register -n '__coder_sms_register_is help' -a 'run config check healthcheck status projector extend end renew forget retry drop reconcile campaign backup restore'
complete -c coder-sms-register -n '__coder_sms_register_is check' -l write -d 'also create a user in Coder, log in as it, and delete it'
complete -c coder-sms-register -n '__coder_sms_register_is check' -l json -d 'print one JSON object'
complete -c coder-sms-register -n '__coder_sms_register_is status' -l class -d 'only this class'
complete -c coder-sms-register -n '__coder_sms_register_is status' -l offline -d 'do not ask Coder'
complete -c coder-sms-register -n '__coder_sms_register_is status' -l json -d 'print one JSON object'
complete -c coder-sms-register -n '__coder_sms_register_is status' -l watch -d 'repeat it every SECONDS (default: 5) until Ctrl-C'
complete -c coder-sms-register -n '__coder_sms_register_is projector' -l class -d 'only the page of this class'
complete -c coder-sms-register -n '__coder_sms_register_is projector' -l rotate -d 'make another link; the old one is no longer valid'
complete -c coder-sms-register -n '__coder_sms_register_is extend' -l all -d 'every account'
complete -c coder-sms-register -n '__coder_sms_register_is extend' -l class -d 'every account of this class'
complete -c coder-sms-register -n '__coder_sms_register_is extend' -l dry-run -d 'print what would be done, and change nothing'
complete -c coder-sms-register -n '__coder_sms_register_is extend' -l yes -d 'do not ask before --all, --class or more than 7 days'
complete -c coder-sms-register -n '__coder_sms_register_is extend' -l json -d 'print one JSON object'
complete -c coder-sms-register -n '__coder_sms_register_is extend' -a '(__coder_sms_register_accounts)'
complete -c coder-sms-register -n '__coder_sms_register_is end' -l gently -d 'wait until no workspace runs, and lock no account out'
complete -c coder-sms-register -n '__coder_sms_register_is end' -l all -d 'every account'
complete -c coder-sms-register -n '__coder_sms_register_is end' -l class -d 'every account of this class'
complete -c coder-sms-register -n '__coder_sms_register_is end' -l dry-run -d 'print what would be done, and change nothing'
complete -c coder-sms-register -n '__coder_sms_register_is end' -l yes -d 'do not ask before --all or --class'
complete -c coder-sms-register -n '__coder_sms_register_is end' -l json -d 'print one JSON object'
complete -c coder-sms-register -n '__coder_sms_register_is end' -a '(__coder_sms_register_accounts)'
complete -c coder-sms-register -n '__coder_sms_register_is renew' -a '(__coder_sms_register_accounts)'
complete -c coder-sms-register -n '__coder_sms_register_is forget' -l dry-run -d 'print what is stored, and change nothing'
complete -c coder-sms-register -n '__coder_sms_register_is forget' -l json -d 'print one JSON object'
complete -c coder-sms-register -n '__coder_sms_register_is retry' -l all -d 'every dead letter'
complete -c coder-sms-register -n '__coder_sms_register_is retry' -l json -d 'print one JSON object'
complete -c coder-sms-register -n '__coder_sms_register_is drop' -l all -d 'every dead letter'
complete -c coder-sms-register -n '__coder_sms_register_is drop' -l yes -d 'do not ask before --all'
complete -c coder-sms-register -n '__coder_sms_register_is drop' -l json -d 'print one JSON object'
complete -c coder-sms-register -n '__coder_sms_register_is reconcile' -l all -d 'also adopt those that may be another service\'s'
complete -c coder-sms-register -n '__coder_sms_register_is reconcile' -l dry-run -d 'print what would be done, and change nothing'
complete -c coder-sms-register -n '__coder_sms_register_is reconcile' -l yes -d 'do not ask before --all'
complete -c coder-sms-register -n '__coder_sms_register_is reconcile' -l json -d 'print one JSON object'
complete -c coder-sms-register -n '__coder_sms_register_is backup' -l force -d 'overwrite FILE'
complete -c coder-sms-register -n '__coder_sms_register_is backup' -F
complete -c coder-sms-register -n '__coder_sms_register_is restore' -l yes -d 'do not ask before a database is replaced'
complete -c coder-sms-register -n '__coder_sms_register_is restore' -F
