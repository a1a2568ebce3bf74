# Written by a test from src/cli: make pages
_coder_sms_register() {
	local word=$2 before=$3 command='' env_file='' operand='' words='' i
	local options='--env-file --help --version'
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
	'') words='run config check healthcheck status projector extend end renew forget retry drop reconcile campaign backup restore help version' ;;
	help) words='run config check healthcheck status projector extend end renew forget retry drop reconcile campaign backup restore' ;;
	check) options+=' --write --json' ;;
	status) options+=' --class --offline --json --watch' ;;
	projector) options+=' --class --rotate' ;;
	extend) options+=' --all --class --dry-run --yes --json' operand=account ;;
	end) options+=' --gently --all --class --dry-run --yes --json' operand=account ;;
	renew) operand=account ;;
	forget) options+=' --dry-run --json' ;;
	retry) options+=' --all --json' ;;
	drop) options+=' --all --yes --json' ;;
	reconcile) options+=' --all --dry-run --yes --json' ;;
	backup) options+=' --force' operand=file ;;
	restore) options+=' --yes' operand=file ;;
	esac
	if [[ $word == -* ]]; then
		words=$options
	elif [[ $operand == file ]]; then
		compopt -o default
		return
	elif [[ $operand == account ]]; then
		words=$("$1" ${env_file:+--env-file "${env_file/#\~/$HOME}"} extend --all --dry-run --json 1m 2>/dev/null | grep -o '"username":"[^"]*"' | cut -d '"' -f 4)
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _coder_sms_register coder-sms-register
