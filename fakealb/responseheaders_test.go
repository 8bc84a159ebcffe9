package fakealb_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/proxychaos/proxychaos/fakealb"
	"github.com/proxychaos/proxychaos/fakealb/targets"
)

func TestResponseHeaderAttributes(t *testing.T) {
	t.Attr("aws-fact", "2.5.9")
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Server", "a-target")
		w.Header().Add("X-Frame-Options", "SAMEORIGIN")
		w.Header().Add("X-Frame-Options", "SAMEORIGIN")
		w.Header().Set("Access-Control-Max-Age", "1")
	}))
	defer up.Close()
	f := start(t, nil, "127.0.76.4")
	off := false
	attributes := fakealb.Attributes{ResponseHeaders: fakealb.ResponseHeaders{
		ServerEnabled: &off, StrictTransportSecurity: "max-age=300", AccessControlAllowOrigin: "https://a.example",
		AccessControlAllowMethods: "GET,POST", AccessControlAllowHeaders: "X-A", AccessControlAllowCredentials: "true",
		AccessControlExposeHeaders: "X-B", ContentSecurityPolicy: "default-src 'self'", XContentTypeOptions: "nosniff", XFrameOptions: "DENY",
	}}
	inserted := map[string]string{
		"Strict-Transport-Security": "max-age=300", "Access-Control-Allow-Origin": "https://a.example",
		"Access-Control-Allow-Methods": "GET,POST", "Access-Control-Allow-Headers": "X-A", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Expose-Headers": "X-B", "Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY",
	}
	check := func(name, url string, status int, server, maxAge string) {
		t.Helper()
		resp, err := (&http.Client{Transport: tlsTransport(t, f)}).Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status || resp.Header.Get("Server") != server || resp.Header.Get("Access-Control-Max-Age") != maxAge {
			t.Errorf("%s: got %d, Server %q, Access-Control-Max-Age %q, want %d, %q, %q", name,
				resp.StatusCode, resp.Header.Get("Server"), resp.Header.Get("Access-Control-Max-Age"), status, server, maxAge)
		}
		for field, want := range inserted {
			if got := resp.Header.Values(field); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s: got %q, want %q", name, field, got, want)
			}
		}
	}
	put := func(lb fakealb.LoadBalancer) {
		t.Helper()
		lb.Name, lb.Attributes = "blue", attributes
		if _, err := f.PutLoadBalancer(f.ctx, lb); err != nil {
			t.Fatal(err)
		}
	}
	put(fakealb.LoadBalancer{TargetGroup: &targets.Group{Targets: targets.At(up.Listener.Addr().(*net.TCPAddr).AddrPort())}})
	check("a target's response", "http://"+f.at(0)+"/", 200, "a-target", "1")
	check("a target's response over HTTP/2", "https://"+f.at(0)+"/", 200, "a-target", "1")
	put(fakealb.LoadBalancer{})
	check("a 503", "http://"+f.at(0)+"/", 503, "", "")
	if resp, _, _ := exchangeRaw(t, f.at(0), "nonsense\r\n\r\n"); resp.Header.Get("X-Frame-Options") != "DENY" || resp.Header.Get("Server") != "" {
		t.Errorf("a 400: got %v", resp.Header)
	}
	f.set(t, fakealb.FaultStranger, f.nodes[0])
	if got := curl(t, "-i", "http://"+f.at(0)+"/"); strings.Contains(got, "DENY") || !strings.Contains(got, "Server: nginx\r\n") {
		t.Errorf("another tenant's answer: got %q", got)
	}
}

func TestResponseHeaderAttributesAreChecked(t *testing.T) {
	f := start(t, nil, "127.0.76.5")
	for field, h := range map[string]fakealb.ResponseHeaders{
		"x_frame_options":         {XFrameOptions: "a\r\nb: c"},
		"content_security_policy": {ContentSecurityPolicy: strings.Repeat("a", 1025)},
		"access_control_max_age":  {AccessControlMaxAge: `"quoted"`},
	} {
		_, err := f.PutLoadBalancer(f.ctx, fakealb.LoadBalancer{Name: "blue", Attributes: fakealb.Attributes{ResponseHeaders: h}})
		if e := apiErr(t, err); e.Field != "attributes.routing.http.response."+field+".header_value" {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
