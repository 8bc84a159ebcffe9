package http1

import "strconv"

// AppendRequestLine appends the first line of an HTTP/1.1 request.
func AppendRequestLine(dst []byte, method, target string) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	return append(dst, " HTTP/1.1\r\n"...)
}

// AppendStatusLine appends the first line of an HTTP/1.1 response. A proxy
// answers HTTP/1.0 clients with it too (RFC 9110, 2.5).
func AppendStatusLine(dst []byte, status int, reason string) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, reason...)
	return append(dst, "\r\n"...)
}

// AppendField appends one header line.
func AppendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendHeader appends the lines of h, without the empty line at the end.
func AppendHeader(dst []byte, h Header) []byte {
	for i := range h {
		dst = AppendField(dst, h[i].Name, h[i].Value)
	}
	return dst
}

// AppendLength appends a Content-Length line.
func AppendLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, "\r\n"...)
}

// ChunkRoom is the most bytes that stand before the data of a chunk.
const ChunkRoom = 18

// PutChunkSize writes the line before a chunk of n bytes so that it ends at
// buf[ChunkRoom], and returns where it starts.
func PutChunkSize(buf []byte, n int) (start int) {
	i := ChunkRoom - 2
	buf[i], buf[i+1] = '\r', '\n'
	for {
		i--
		buf[i] = "0123456789abcdef"[n&0xf]
		if n >>= 4; n == 0 {
			return i
		}
	}
}

// AppendTrailer appends the end of a chunked body.
func AppendTrailer(dst []byte, trailer Header) []byte {
	dst = append(dst, "0\r\n"...)
	dst = AppendHeader(dst, trailer)
	return append(dst, "\r\n"...)
}
