server { listen 80; server_name a.example.com; location / { proxy_pass http://core; } }
