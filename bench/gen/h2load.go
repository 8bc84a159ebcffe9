package gen

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
)

var h2loadDone = regexp.MustCompile(`(?m)^requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, `)

// Exactly sends n GETs to url over [Connections] kept connections of HTTP/1.1
// and returns when each was answered with 2xx or 3xx. It is h2load's.
func Exactly(ctx context.Context, url string, n int) error {
	out, _, err := run(ctx, "h2load", "--h1", "-t1", "-c"+strconv.Itoa(Connections), "-n"+strconv.Itoa(n), url)
	if err != nil {
		return err
	}
	return parseH2load(out, n)
}

func parseH2load(out string, n int) error {
	done, err := number(out, h2loadDone)
	if err != nil {
		return fmt.Errorf("h2load: %w", err)
	}
	if int(done) != n {
		return fmt.Errorf("h2load: %.0f of %d requests succeeded", done, n)
	}
	return nil
}
