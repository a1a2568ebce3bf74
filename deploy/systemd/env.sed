# Makes of .env-template the one that is installed as /etc/coder-sms-register/env.
s|^# Settings of coder-sms-register\. .*|# Settings of coder-sms-register, as its systemd unit reads them. Fill in what is empty; only root may read it.|
s|^#   cp \.env-template \.env.*|#   sudoedit /etc/coder-sms-register/env|
s|^# Then see what is understood, or what is missing, with: .*|# Then see what is understood, or what is missing, with:\
#   sudo coder-sms-register config\
# A file /etc/coder-sms-register/credentials/NAME may hold a secret instead; leave it empty here then.|
s|^#REDIS_HOST=.*|REDIS_HOST=/run/coder-sms-register-redis/redis.sock|
# What is for docker-compose.yml has no place there.
/^# --- The containers of docker-compose/,$d
s|^#CODER_REG_LISTEN=.*|CODER_REG_LISTEN=127.0.0.1:8000|
