@NOTE@
_coder_sms_register() {
	local word=$2 before=$3 command='' env_file='' operand='' words='' i
	local options='@COMMON@'
	COMPREPLY=()
	# Bash makes three words of --env-file=FILE.
	if [[ $before == = ]] && ((COMP_CWORD > 1)); then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $before == --env-file ]]; then
		compopt -o default
		return
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--env-file)
			((i++))
			[[ ${COMP_WORDS[i]} != = ]] || ((i++))
			env_file=${COMP_WORDS[i]}
			;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $command in
	'') words='@NAMES@ @FURTHER@' ;;
	help) words='@NAMES@' ;;
@CASES@	esac
	if [[ $word == -* ]]; then
		words=$options
	elif [[ $operand == file ]]; then
		compopt -o default
		return
	elif [[ $operand == account ]]; then
		words=$("$1" ${env_file:+--env-file "${env_file/#\~/$HOME}"} @LIST_ACCOUNTS@)
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _coder_sms_register @PROGRAM@
