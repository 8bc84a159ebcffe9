vcl 4.1;

import directors;

probe health {
    .url = "/";
    .interval = 1s;
    .timeout = 1s;
    .window = 3;
    .threshold = 2;
}

backend a { .host = "10.0.1.11"; .port = "80"; .connect_timeout = 1s; .first_byte_timeout = 1s; .probe = health; }
backend b { .host = "10.0.2.12"; .port = "80"; .connect_timeout = 1s; .first_byte_timeout = 1s; .probe = health; }

sub vcl_init {
    new alb = directors.round_robin();
    alb.add_backend(a);
    alb.add_backend(b);
}

sub vcl_recv {
    set req.backend_hint = alb.backend();
}

sub vcl_backend_error {
    return (retry);
}
