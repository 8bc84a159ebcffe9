package fault

import (
	"context"
	"fmt"
	"time"
)

// await looks until it sees what it looks for, or for so long.
func await(ctx context.Context, limit time.Duration, look func() (seen bool, shows string, err error)) []Proof {
	for deadline := time.Now().Add(limit); ; {
		seen, shows, err := look()
		switch {
		case err != nil:
			return []Proof{prove(false, fmt.Sprintf("looking at the proxy: %v", err))}
		case seen:
			return []Proof{prove(true, shows)}
		case time.Now().After(deadline):
			return []Proof{prove(false, fmt.Sprintf("after %v: %s", limit, shows))}
		}
		select {
		case <-ctx.Done():
			return []Proof{prove(false, ctx.Err().Error())}
		case <-time.After(20 * time.Millisecond):
		}
	}
}
