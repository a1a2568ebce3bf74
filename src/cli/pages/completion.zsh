#compdef @PROGRAM@
@NOTE@
local curcontext=$curcontext program=$words[1] env_file state line
local -A opt_args
local -a commands common
_coder_sms_register_accounts() {
	local -a accounts
	env_file=${opt_args[--env-file]:-$env_file}
	accounts=(${(f)"$(${~program} ${env_file:+--env-file} ${~env_file} @LIST_ACCOUNTS@)"})
	compadd -a accounts
}
commands=(
@COMMANDS@)
common=(@COMMON@
)
_arguments -C $common '1: :->command' '*:: :->rest' && return
if [[ $state == command ]]; then
	_describe command commands
	return
fi
env_file=$opt_args[--env-file]
case $words[1] in
help)
	_describe command commands
	;;
@CASES@esac
