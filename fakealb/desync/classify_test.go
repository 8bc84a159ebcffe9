package desync

import (
	"bytes"
	"testing"
)

// ownCases has at least one case for each reason, as bytes on a connection.
var ownCases = []struct {
	head string
	want Reason
}{
	{"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: a/1 (b; c)\r\n\r\n", None},
	{"POST /a?b=%20c HTTP/1.0\r\nContent-Length:12\r\nX_y.z: \x80\xff\t.\r\n\r\n", None},
	{"POST / HTTP/1.1\r\ntransfer-encoding: gzip, Chunked\r\n\r\n", None},
	{"DELETE / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", None},
	{"GET /ü HTTP/1.1\r\n\r\n", None},
	{"GET / HTTP/1.1\r\nX-Content-Length: 1\r\nContent-Length-2: 5\r\nTransfer-Encodings: a\r\n\r\n", None},

	{"GET /a\x01b HTTP/1.1\r\n\r\n", AmbiguousURI},
	{"GET /a\tHTTP/1.1 HTTP/1.1\r\n\r\n", AmbiguousURI},
	{"GET /a\x7f HTTP/1.1\r\n\r\n", AmbiguousURI},

	{"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", BadContentLength},
	{"POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n", BadContentLength},
	{"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n", BadContentLength},
	{"POST / HTTP/1.1\r\nContent-Length: \r\n\r\n", BadContentLength},
	{"POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n", BadContentLength},
	{"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\n", BadContentLength},
	{"POST / HTTP/1.1\r\nContent_Length: x\r\n\r\n", BadContentLength},
	{"POST / HTTP/1.1\r\nContent-Length: 1\r\n 0\r\n\r\n", BadContentLength},

	{"GET / HTTP/1.1\r\nA: b\x00\r\n\r\n", BadHeader},
	{"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", BadHeader},
	{"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", BadHeader},
	{"GET / HTTP/1.1\r\nA\r: b\r\n\r\n", BadHeader},
	{"GET / HTTP/1.1\r\nHost: x\r\n\n", BadHeader},
	{"GET / HTTP/1.1\r\nA:\n\nGET /2 HTTP/1.1\r\n\r\n", BadHeader},
	{"GET / HTTP/1.1\nA: b\r\n\n", BadURI}, // mixed the other way round

	{"GE\x01T / HTTP/1.1\r\n\r\n", BadMethod},
	{" / HTTP/1.1\r\n\r\n", BadMethod},
	{"G=\":<>(e) / HTTP/1.1\r\n\r\n", BadMethod},
	{"\r\n\r\n", BadMethod},
	{"", BadMethod},

	{"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", BadTransferEncoding},
	{"POST / HTTP/1.1\r\nTransfer-Encoding: ,chunked\r\n\r\n", BadTransferEncoding},
	{"POST / HTTP/1.1\r\nTransfer-Encoding: \xa0chunked\r\n\r\n", BadTransferEncoding},
	{"POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", BadTransferEncoding},
	{"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n", BadTransferEncoding},
	{"POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", BadTransferEncoding},
	{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n , identity\r\n\r\n", BadTransferEncoding},

	{"GET /a\x00 HTTP/1.1\r\n\r\n", BadURI},
	{"GET /a\rb HTTP/1.1\r\n\r\n", BadURI},
	{"GET /\nHTTP/1.1\r\n\r\n", BadURI},
	{"GET /a\tHTTP/1.1\r\nHost: x\r\n\r\n", BadURI},

	{"GET / HTTP/1.1x\r\n\r\n", BadVersion},
	{"GET / http/1.1\r\n\r\n", BadVersion},
	{"GET / HTTP/2.0\r\n\r\n", BadVersion},
	{"GET / HTTP/1.32\r\n\r\n", BadVersion},
	{"GET / HTTP/1.1 HTTP/1.1\r\n\r\n", BadVersion},
	{"GET / HTTP/1.1 and more\r\n\r\n", BadVersion},

	{"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", BothTeClPresent},
	{"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n", BothTeClPresent},

	{"POST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length:5 \r\n\r\n", DuplicateContentLength},

	{"GET / HTTP/1.1\r\n: a\r\n\r\n", EmptyHeader},
	{"GET / HTTP/1.1\r\n \t\r\nA: b\r\n\r\n", EmptyHeader},
	{"GET / HTTP/1.1\r\nno colon\r\n\r\n", EmptyHeader},

	{"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", GetHeadZeroContentLength},
	{"HEAD / HTTP/1.1\r\nContent-Length: 000\r\n\r\n", GetHeadZeroContentLength},

	{"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", MultipleContentLength},
	{"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length : 6\r\n\r\n", MultipleContentLength},

	{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", MultipleTransferEncodingChunked},
	{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip, chunked\r\n\r\n", MultipleTransferEncodingChunked},

	{"GET / HTTP/1.1\r\nA : b\r\n\r\n", NonCompliantHeader},
	{"GET / HTTP/1.1\r\nA: b\x07\r\n\r\n", NonCompliantHeader},
	{"GET / HTTP/1.1\r\n\xefoo: bar\r\n\r\n", NonCompliantHeader},
	{"GET / HTTP/1.1\nHost: x\n\n", NonCompliantHeader}, // LF only

	{"GET /\r\n", NonCompliantVersion},
	{"GET / HTTP/0.9\r\n\r\n", NonCompliantVersion},
	{"GET / HTTP/1.2\r\n\r\n", NonCompliantVersion},
	{"GET / HTTP/1.1 \t\r\n\r\n", NonCompliantVersion},

	{"GET /a b HTTP/1.1\r\n\r\n", SpaceInURI},
	{"GET /a  HTTP/1.1\r\n\r\n", SpaceInURI},

	{"POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n", SuspiciousHeader},
	{"POST / HTTP/1.1\r\ntransfer_encoding: chunked\r\n\r\n", SuspiciousHeader},
	{"POST / HTTP/1.1\r\nTranſfer-Encoding: chunked\r\n\r\n", SuspiciousHeader},
	{"POST / HTTP/1.1\r\nTransfer-Encodıng: chunked\r\n\r\n", SuspiciousHeader},
	{"POST / HTTP/1.1\r\nＣontent-Length: 5\r\n\r\n", SuspiciousHeader},
	{"POST / HTTP/1.1\r\n\x0bContent-Length: 5\r\n\r\n", SuspiciousHeader},
	{"POST / HTTP/1.1\r\nContent-Length\xc2\xa0: 5\r\n\r\n", SuspiciousHeader},
	{"GET / HTTP/1.1\r\nA: b\r\n folded\r\nC: d\r\n\r\n", EmptyHeader}, // no colon in it
	{"GET / HTTP/1.1\r\nA: b\r\n folded: c\r\n\r\n", SuspiciousHeader},
	{"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding\t: chunked\r\n\r\n", SuspiciousHeader},

	{"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n", SuspiciousTeClPresent},
	{"POST / HTTP/1.1\r\nContent.Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", SuspiciousTeClPresent},

	{"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", UndefinedContentLengthSemantics},
	{"HEAD / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", UndefinedContentLengthSemantics},
	{"POST / HTTP/0.9\r\nContent-Length: 0\r\n\r\n", UndefinedContentLengthSemantics},

	{"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", UndefinedTransferEncodingSemantics},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", UndefinedTransferEncodingSemantics},

	// The worst of several reasons counts.
	{"GET /a b HTTP/1.1\r\nA : b\r\nContent-Length: 5\r\nContent-Length: x\r\n\r\n", BadContentLength},
	// What follows the head is not looked at.
	{"GET / HTTP/1.1\r\n\r\nA: \x00\r\nContent-Length: x\r\n\r\n", None},
}

func TestOwnCases(t *testing.T) {
	t.Attr("aws-fact", "2.6")
	seen := map[Reason]bool{}
	for _, c := range ownCases {
		seen[c.want] = true
		if got := Classify([]byte(c.head)); got.Reason != c.want || got.Class != reasons[c.want].class {
			t.Errorf("%q: got %s %s, want %s %s", c.head, got.Class, got.Reason, reasons[c.want].class, c.want)
		}
	}
	for r := range reasons {
		if !seen[Reason(r)] {
			t.Errorf("no case of our own for %s", Reason(r))
		}
	}
}

// The classifier runs on every request: it must not allocate, and must not touch
// the bytes, which are still to be read.
func TestClassifyLeavesNoTrace(t *testing.T) {
	for _, c := range ownCases {
		head := []byte(c.head)
		if n := testing.AllocsPerRun(10, func() { Classify(head) }); n != 0 {
			t.Errorf("%q: got %v allocations, want none", c.head, n)
		}
		if !bytes.Equal(head, []byte(c.head)) {
			t.Errorf("%q became %q", c.head, head)
		}
	}
}

func BenchmarkClassify(b *testing.B) {
	head := []byte("GET /path/to/something?with=a&query=string HTTP/1.1\r\nHost: www.example.test\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml\r\nAccept-Language: en-US,en;q=0.5\r\nConnection: keep-alive\r\n\r\n")
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if v := Classify(head); v.Class != Compliant {
			b.Fatal(v)
		}
	}
}
