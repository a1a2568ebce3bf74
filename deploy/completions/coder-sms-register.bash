# Written by a test from src/cli: make pages
_coder_sms_register() {
	local word=$2 before=$3 command='' files='' words='' i
	local options='--env-file --help --version'
	COMPREPLY=()
	if [[ $before == --env-file ]]; then
		compopt -o default
		return
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--env-file) ((i++)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $command in
	'') words='run config check healthcheck status extend end renew forget retry drop reconcile backup restore help version' ;;
	help) words='run config check healthcheck status extend end renew forget retry drop reconcile backup restore' ;;
	check) options+=' --write --json' ;;
	status) options+=' --offline --json --watch' ;;
	extend) options+=' --all --dry-run --yes --json' ;;
	end) options+=' --gently --all --dry-run --yes --json' ;;
	forget) options+=' --dry-run --json' ;;
	retry) options+=' --all --json' ;;
	drop) options+=' --all --yes --json' ;;
	reconcile) options+=' --all --dry-run --yes --json' ;;
	backup) options+=' --force' files=1 ;;
	restore) options+=' --yes' files=1 ;;
	esac
	if [[ $word == -* ]]; then
		words=$options
	elif [[ -n $files ]]; then
		compopt -o default
		return
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _coder_sms_register coder-sms-register
