server { listen 80; server_name b.example.com; location / { proxy_pass http://core; } }
