package fakealb_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/proxychaos/proxychaos/fakealb"
)

// What a client speaks is named, also if it comes byte by byte; HTTP is served,
// whatever it begins with.
func TestWhatIsSpokenIsNamed(t *testing.T) {
	f := start(t, nil, "127.0.87.1")
	const host = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	for _, c := range []struct{ name, sent, spoke, status string }{
		{"FastCGI", "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00", "FastCGI", "400"},
		{"AJP", "\x12\x34\x00\x0a\x02\x02\x00\x08HTTP/1.1", "AJP", "400"},
		{"SCGI", "70:CONTENT_LENGTH\x000\x00SCGI\x001\x00", "SCGI", "400"},
		{"uwsgi", "\x00\x5a\x01\x00\x0c\x00QUERY_STRING", "uwsgi", "400"},
		{"memcached", "get /users/1\r\n", "memcached", "400"},
		{"memcached, binary", "\x80\x00\x00\x01k", "memcached", "400"},
		{"Redis", "*1\r\n$4\r\nPING\r\n", "Redis", "400"},
		{"PROXY protocol 1", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /" + host, "the PROXY protocol", "400"},
		{"PROXY protocol 2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", "the PROXY protocol", "400"},
		{"PostgreSQL", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "PostgreSQL", "400"},
		{"LDAP", "0\x0c\x02\x01\x01\x60\x07\n\n", "", "400"}, // it begins as a method may
		{"unknown", "\xfe\x53\x4d\x42", "an unknown protocol, which begins with 0xfe", "400"},
		{"HTTP", "GET /" + host, "", "200"},
		{"HTTP after an empty line", "\r\nGET /" + host, "", "400"},
		{"HTTP, PROPFIND", "PROPFIND /" + host, "", "200"},
		{"HTTP, a small letter", "get /" + host, "", "200"},
		{"HTTP, a method with digits", "2GET /" + host, "", "200"},
	} {
		for _, slowly := range []bool{false, true} {
			got := tell(t, f.at(0), c.sent, slowly)
			if !strings.HasPrefix(got, "HTTP/1.1 "+c.status+" ") {
				t.Errorf("%s, slowly %v: got %q, want %s", c.name, slowly, got, c.status)
			}
			rows, err := f.Connections(f.ctx)
			if err != nil || len(rows) == 0 || rows[len(rows)-1].Spoke != c.spoke {
				t.Errorf("%s, slowly %v: got %+v, %v, want %q spoken", c.name, slowly, rows[len(rows)-1], err, c.spoke)
			}
		}
	}
}

// tell sends what is to be sent, says that nothing more comes, and returns the answer.
func tell(t *testing.T, addr, sent string, slowly bool) string {
	t.Helper()
	c := dial(t, addr)
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if !slowly {
		_, _ = io.WriteString(c, sent)
	} else {
		_ = c.SetNoDelay(true)
		for i := range len(sent) {
			if _, err := c.Write([]byte{sent[i]}); err != nil {
				break // it knows enough
			}
		}
	}
	_ = c.CloseWrite()
	got, _ := io.ReadAll(c)
	return string(got)
}

// A real ALB refuses HTTP/2 without TLS; so does a node whose ports are named.
func TestHTTP2WithoutTLSIsRefused(t *testing.T) {
	t.Attr("aws-fact", "2.2.5")
	f := start(t, nil, "127.0.87.2")
	if got := tell(t, f.at(0), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("got %q, want 400", got)
	}
}

func TestDefaultCertificateWithoutSNI(t *testing.T) {
	need(t, "openssl")
	f := start(t, nil, "127.0.87.3")
	trusts := func(name string) error {
		_, err := f.sClient(t, "-noservername", "-verify_hostname", name, "-verify_return_error", "-CAfile", f.caFile(t))
		return err
	}
	if trusts("api.internal.example.com") == nil {
		t.Error("before any name is known: the certificate is for a name, want it for the address")
	}
	if _, err := f.PutDefaultCertificate(f.ctx, "api.internal.example.com", "orders_api_1"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"api.internal.example.com", "orders_api_1"} {
		if err := trusts(name); err != nil {
			t.Errorf("a client that wants %s: %v", name, err)
		}
	}
	f.set(t, fakealb.FaultTLSWrongName, f.nodes...)
	if trusts("api.internal.example.com") == nil {
		t.Error("with a certificate of a wrong name: got trust, want none")
	}
	f.set(t, fakealb.FaultNone, f.nodes...)
	if _, err := f.Reset(f.ctx); err != nil {
		t.Fatal(err)
	}
	if trusts("api.internal.example.com") == nil {
		t.Error("after a reset the name is still there")
	}
	_, err := f.PutDefaultCertificate(f.ctx, "")
	if e := apiErr(t, err); e.Field != "names" {
		t.Errorf("got %v, want an error about names", err)
	}
}
