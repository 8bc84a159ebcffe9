package http1

// ValidField decides whether a field may go on the wire: its name is a token
// (RFC 9110, 5.6.2) and its value has no control character but the tab (5.5).
// What is read is checked by it, and so is what [Header.Add] puts into a header,
// wherever it came from. Writers of every protocol take fields from headers only,
// so none of them can write what it refuses.
func ValidField(name, value string) bool { return isToken(name) && all(value, valueChar) }

// ValidTarget reports whether s may stand in a request line.
func ValidTarget(s string) bool { return s != "" && all(s, targetChar) }

// Alike reports whether two names are one to a server that keeps letters and
// digits only, as those do that make variables of fields: X_Real_IP and X-Real-IP
// are both HTTP_X_REAL_IP (RFC 3875, 4.1.18).
func Alike(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if variable[a[i]] != variable[b[i]] {
			return false
		}
	}
	return true
}

// Forwarded reports whether a field is one of X-Forwarded-*, in which proxies say what
// they know of a client, to some server (see [Alike]).
func Forwarded(name string) bool {
	const prefix = "X-Forwarded-"
	return len(name) > len(prefix) && Alike(name[:len(prefix)], prefix)
}

// variable is what a byte of a name becomes in the name of a variable.
var variable = func() (t [256]byte) {
	for c := range 256 {
		if t[c] = lower[c]; classes[c]&hostChar == 0 || c == '-' || c == '.' || c == '~' {
			t[c] = '_'
		}
	}
	return t
}()

// OfConnection reports whether a field is about one HTTP/1 connection. Neither a
// request nor a response of another version may have it (RFC 9113, 8.2.2).
func OfConnection(name string) bool {
	switch len(name) {
	case len("Upgrade"):
		return EqualFold(name, "upgrade")
	case len("Connection"): // and of Keep-Alive
		return EqualFold(name, "connection") || EqualFold(name, "keep-alive")
	case len("Proxy-Connection"):
		return EqualFold(name, "proxy-connection")
	case len("Transfer-Encoding"):
		return EqualFold(name, "transfer-encoding")
	}
	return false
}

// fromOther checks the header of a message that came by another version of HTTP,
// and takes out what is not passed on: what is said of the length, and what is
// meant for the next proxy only.
func fromOther(h Header) (Header, error) {
	if len(h) > maxFields {
		return nil, tooManyFields
	}
	kept := h[:0]
	for _, f := range h {
		switch {
		case !ValidField(f.Name, f.Value):
			return nil, malformed("a header field has a character that is not allowed")
		case OfConnection(f.Name):
			return nil, malformed("a header field that is about an HTTP/1 connection")
		case EqualFold(f.Name, "content-length"), EqualFold(f.Name, "proxy-authenticate"), EqualFold(f.Name, "proxy-authorization"):
			continue
		}
		if err := checkLookalike(f.Name); err != nil {
			return nil, err
		}
		kept = append(kept, f)
	}
	return kept, nil
}
