#!/bin/sh
envsubst "\$backend_host \$backend_port" < /etc/nginx/nginx.conf.template > /etc/nginx/nginx.conf
exec "$@"
