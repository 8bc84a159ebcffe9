package judge

// countRetries counts what the proxy sent to nodes beyond the first of each shape. What it
// makes of every request besides (nginx's mirror) has a shape of its own, and is no retry.
func (c *brief) countRetries(v *Verdict) {
	for request := range c.inOrder() {
		if hits := c.hits.of(request.Seq); !request.Resent && len(hits) > 1 {
			v.Retries += len(hits) - len(c.shapesOf(hits))
		}
	}
}
