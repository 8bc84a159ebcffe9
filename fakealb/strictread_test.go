package fakealb_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var (
	errStrict  = errors.New("not what a strict reader takes")
	errPartial = errors.New("ends in the middle")
)

// strictRequest reads one request, the third reader beside net/http's and our own.
// It returns its method and target, and how many bytes it has.
func strictRequest(b []byte) (line string, size int, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return "", 0, fmt.Errorf("no end of the head: %w", errStrict)
	}
	lines := strings.Split(string(b[:end]), "\r\n")
	words := strings.Split(lines[0], " ")
	if len(words) != 3 || words[2] != "HTTP/1.1" {
		return "", 0, fmt.Errorf("request line %q: %w", lines[0], errStrict)
	}
	size = end + 4
	var length, coding []string
	for _, l := range lines[1:] {
		name, value, ok := strings.Cut(l, ": ")
		if !ok || strings.ContainsAny(name, " \t") || strings.ContainsAny(l, "\r\n\x00") {
			return "", 0, fmt.Errorf("field %q: %w", l, errStrict)
		}
		switch strings.ToLower(name) {
		case "content-length":
			length = append(length, value)
		case "transfer-encoding":
			coding = append(coding, value)
		}
	}
	n := 0
	switch {
	case len(length)+len(coding) > 1:
		return "", 0, fmt.Errorf("Content-Length %q and Transfer-Encoding %q: %w", length, coding, errStrict)
	case len(length) == 1:
		n, err = strconv.Atoi(length[0])
	case len(coding) == 1 && coding[0] == "chunked":
		n, err = strictChunks(b[size:])
	case len(coding) == 1:
		err = errStrict
	}
	if err != nil {
		return "", 0, fmt.Errorf("body: %w", err)
	}
	if size += n; size > len(b) {
		return "", 0, fmt.Errorf("body of %d bytes: %w", n, errPartial)
	}
	return words[0] + " " + words[1], size, nil
}

// strictChunks is the length of a chunked body without extensions and trailer.
func strictChunks(b []byte) (int, error) {
	at := 0
	for {
		size, _, found := bytes.Cut(b[at:], []byte("\r\n"))
		if !found {
			return 0, errPartial
		}
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil {
			return 0, err
		}
		at += len(size) + 2 + int(n) + 2
		if at > len(b) {
			return 0, errPartial
		}
		if string(b[at-2:at]) != "\r\n" {
			return 0, errStrict
		}
		if n == 0 {
			return at, nil
		}
	}
}
