package goproxy

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/proxychaos/proxychaos/goproxy/http1"
)

// dated is a Date field and the second for which it holds.
type dated struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[dated]

// httpDate is the value of a Date field. All requests of a second share it.
func httpDate(now time.Time) string {
	second := now.Unix()
	if d := lastDate.Load(); d != nil && d.second == second {
		return d.text
	}
	d := &dated{second, now.UTC().Format(http.TimeFormat)}
	lastDate.Store(d)
	return d.text
}

// localHeader is the header of a response of the proxy's own.
func localHeader() http1.Header {
	return http1.Header{
		{Name: "Date", Value: httpDate(time.Now())},
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "X-Content-Type-Options", Value: "nosniff"},
	}
}
