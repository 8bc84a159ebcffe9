vcl 4.1;
import dynamic;
backend none none;
sub vcl_init { new d = dynamic.director(port = "8080", ttl = 5s); }
sub vcl_recv { set req.backend_hint = d.backend("app.internal.example.com"); return (pass); }
