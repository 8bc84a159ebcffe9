vcl 4.1;
import directors;
import std;
backend a { .host = "10.0.7.11"; .port = "8080"; .connect_timeout = 1s; .first_byte_timeout = 5s; }
backend b { .host = "10.0.7.12"; .port = "8080"; .connect_timeout = 1s; .first_byte_timeout = 5s; }
sub vcl_init {
    new pool = directors.fallback();
    pool.add_backend(a);
    pool.add_backend(b);
}
sub vcl_recv {
    set req.url = std.querysort(req.url);
    set req.backend_hint = pool.backend();
    return (pass);
}
sub vcl_backend_error {
    set beresp.status = 200;
    set beresp.http.Content-Type = "text/html; charset=utf-8";
    synthetic("<!DOCTYPE html><title>Back soon</title><p>We are back soon.</p>");
    return (deliver);
}
