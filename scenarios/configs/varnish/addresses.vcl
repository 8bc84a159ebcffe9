vcl 4.1;

import directors;

backend a { .host = "10.0.1.11"; .port = "80"; }
backend b { .host = "10.0.2.12"; .port = "80"; }

sub vcl_init {
    new alb = directors.round_robin();
    alb.add_backend(a);
    alb.add_backend(b);
}

sub vcl_recv {
    set req.backend_hint = alb.backend();
}
