package desync

import (
	"bufio"
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// The oracle is net/http's reader: of a head that is Compliant or Acceptable there
// is one reading. If net/http takes it at all, then with the body that its plainly
// written fields name.
func FuzzClassify(f *testing.F) {
	for _, c := range ownCases {
		f.Add([]byte(c.head))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		v := Classify(head)
		if v.Class != reasons[v.Reason].class {
			t.Errorf("got %s for %s, whose class is %s", v.Class, v.Reason, reasons[v.Reason].class)
		}
		end := headEnd(head)
		if got := Classify(head[:end]); got != v {
			t.Errorf("with what follows the head: %v, without: %v", v, got)
		}
		if bytes.IndexByte(head[:end], 0) >= 0 && v.Class != Severe {
			t.Errorf("got %v for a head with a null byte, want Severe", v)
		}
		if v.Class > Acceptable || v.Reason == NonCompliantVersion {
			return
		}
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head[:end])))
		if err != nil {
			return // stricter than the classifier is fine
		}
		chunked, length := plainFraming(head[:end])
		if got := len(req.TransferEncoding) > 0; got != chunked {
			t.Errorf("net/http sees chunked %t, the fields say %t", got, chunked)
		}
		if !chunked && req.ContentLength != length {
			t.Errorf("net/http sees a length of %d, the fields say %d", req.ContentLength, length)
		}
	})
}

// headEnd is where the first empty line ends.
func headEnd(b []byte) int {
	at := 0
	for first := true; ; first = false {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return len(b)
		}
		line := b[at : at+i]
		at += i + 1
		if !first && (len(line) == 0 || string(line) == "\r") {
			return at
		}
	}
}

// plainFraming reads the two fields without any tolerance.
func plainFraming(head []byte) (chunked bool, length int64) {
	for line := range strings.SplitSeq(string(head), "\n") {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
		switch value = strings.Trim(value, " \t"); strings.ToLower(name) {
		case "transfer-encoding":
			chunked = true
		case "content-length":
			length, _ = strconv.ParseInt(value, 10, 64)
		}
	}
	return chunked, length
}
