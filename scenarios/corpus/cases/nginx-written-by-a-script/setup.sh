#!/bin/sh
set -e
cat > /etc/nginx/conf.d/default.conf <<EOF2
server { listen 80; location / { proxy_pass http://shop.internal.example.org:8080; } }
EOF2
exec nginx -g "daemon off;"
