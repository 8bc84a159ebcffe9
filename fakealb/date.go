package fakealb

import (
	"net/http"
	"sync/atomic"
	"time"
)

// dates makes the values of Date fields: most responses share their second.
type dates struct{ last atomic.Pointer[dateText] }

type dateText struct {
	second int64
	text   string
}

// at is the value at a time.
func (d *dates) at(now time.Time) string {
	second := now.Unix()
	if last := d.last.Load(); last != nil && last.second == second {
		return last.text
	}
	text := now.UTC().Format(http.TimeFormat)
	d.last.Store(&dateText{second, text})
	return text
}
