package fakealb

import (
	"fmt"
	"net/http"
)

// reasons are the words of an ALB for its own responses, in the status line and
// in the body (fact 2.4 O). Some differ from net/http's.
var reasons = map[int]string{
	http.StatusBadRequest:         "Bad Request",
	http.StatusServiceUnavailable: "Service Temporarily Unavailable",
}

// generated is a response of the load balancer itself, byte for byte (2.4 O).
func generated(status int, style ErrorBody) response {
	open := "<body>"
	if style == ErrorBodyPre2020 {
		open = `<body bgcolor="white">`
	}
	text := fmt.Sprintf("%d %s", status, reasons[status])
	return response{
		status:      status,
		reason:      reasons[status],
		lead:        []field{{"Server", "awselb/2.0"}},
		contentType: "text/html",
		body: []byte("<html>\r\n<head><title>" + text + "</title></head>\r\n" + open +
			"\r\n<center><h1>" + text + "</h1></center>\r\n</body>\r\n</html>\r\n"),
		close: status == http.StatusBadRequest,
	}
}
