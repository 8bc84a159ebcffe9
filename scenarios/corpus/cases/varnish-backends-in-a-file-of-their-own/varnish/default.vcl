vcl 4.1;
import std;
import directors;
include "backends.vcl";
acl purgers {
    "localhost";
    "10.0.0.0"/8;
}
sub vcl_recv {
    set req.backend_hint = app.backend();
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) { return (synth(405, "Not allowed")); }
        return (purge);
    }
    if (req.method != "GET" && req.method != "HEAD") { return (pass); }
    set req.url = regsuball(req.url, "(utm_[a-z]+|gclid)=[^&]*&?", "");
    set req.url = std.querysort(req.url);
    unset req.http.Cookie;
    return (hash);
}
sub vcl_backend_response {
    set beresp.ttl = 2m;
    set beresp.grace = 6h;
}
