package soak

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

func TestClosedWithoutAnAnswerIsAFailure(t *testing.T) {
	var served atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if served.Add(1) != 2 {
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	}))
	defer server.Close()
	client := &http.Client{Transport: once{&http.Transport{}}}
	var errs []error
	for range 3 {
		res, err := client.Get(server.URL)
		errs = append(errs, err)
		if err == nil {
			_ = res.Body.Close()
		}
	}
	if errs[0] != nil || !errors.Is(errs[1], errAgain) || errs[2] != nil {
		t.Errorf("got %v, want the second to fail: its connection was closed", errs)
	}
}
