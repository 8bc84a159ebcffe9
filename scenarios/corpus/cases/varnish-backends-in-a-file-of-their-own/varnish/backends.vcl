probe alive {
    .url = "/health";
    .interval = 2s;
    .timeout = 1s;
    .window = 5;
    .threshold = 3;
}
backend app1 { .host = "10.0.3.11"; .port = "8080"; .connect_timeout = 1s; .first_byte_timeout = 2s; .probe = alive; }
backend app2 { .host = "10.0.3.12"; .port = "8080"; .connect_timeout = 1s; .first_byte_timeout = 2s; .probe = alive; }
sub vcl_init {
    new app = directors.round_robin();
    app.add_backend(app1);
    app.add_backend(app2);
}
