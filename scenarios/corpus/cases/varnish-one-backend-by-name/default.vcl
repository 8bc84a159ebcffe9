vcl 4.1;
backend default {
    .host = "shop.internal.example.org";
    .port = "8080";
    .connect_timeout = 1s;
}
sub vcl_recv {
    return (pass);
}
