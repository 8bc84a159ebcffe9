vcl 4.1;
import directors;
backend a { .host = "10.0.3.11"; .port = "80"; .connect_timeout = 1s; }
backend b { .host = "10.0.3.12"; .port = "80"; .connect_timeout = 1s; }
sub vcl_init {
    new shop = directors.random();
    shop.add_backend(a, 10.0);
    shop.add_backend(b, 5.0);
}
sub vcl_recv {
    if (req.http.host !~ "(?i)^(www\.)?shop\.example\.org(:[0-9]+)?$") {
        return (synth(404, "No such site"));
    }
    set req.backend_hint = shop.backend();
    return (pass);
}
