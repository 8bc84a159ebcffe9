server { listen 8081; server_name c.example.com; location / { proxy_pass http://core; } }
