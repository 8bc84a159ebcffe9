package gen

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
)

// Get sends one GET over a connection of its own and returns the body. Any
// status but 200 is an error. Certificates are not verified: the clients that
// load the servers do not either.
func Get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // said above
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: got status %d, want 200", url, response.StatusCode)
	}
	return string(body), err
}

// Answers is a probe that is well when url answers with 200.
func Answers(url string) Probe {
	return func(ctx context.Context) error {
		_, err := Get(ctx, url)
		return err
	}
}
