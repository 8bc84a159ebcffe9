package gen

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// Order sends JSON to a control API, over a connection that is kept, and
// returns an error unless the answer is 2xx.
func Order(ctx context.Context, method, url, body string) error {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: got status %d: %s", method, url, response.StatusCode, bytes.TrimSpace(answer))
	}
	return err
}
