package pod

import (
	"net/http"
	"testing"
)

// Who works behind a proxy of their company has HTTP_PROXY set; it leads away from here.
func TestTheClientTakesNoProxyFromTheEnvironment(t *testing.T) {
	transport, ok := NewClient("http://198.18.0.2:9100").http.Transport.(*http.Transport)
	if !ok || transport.Proxy != nil {
		t.Error("got a client that asks the environment for a proxy, want one that goes to the agent")
	}
}
