// Package baseline is the memory of the nightly: the results of earlier nights, in a file that
// is committed, and what is different tonight. It is a pure function of figures, so that it is
// tested without a proxy.
//
// # What is red
//
//   - a verdict that got worse; said apart: a fix that no longer holds
//   - a pitfall that no longer breaks: what the catalogue warns of is not true any more
//   - a cell that earlier nights have and this one has not: it did not run, or it is no longer
//     in the catalogue
//   - a proxy of another version: what is remembered is of another program. Look at what
//     changed, then make the baseline anew. An image of the same version with another digest
//     is a note, since each build from Debian's packages has a digest of its own
//   - a figure out of its band
//
// Another verdict where the catalogue expects either, one that got better, and a cell that no earlier night has, are notes.
//
// # The band of a figure
//
// The figures are those by which configs are compared (compare.Measures), but for latencies,
// which are the machine's too. The band of a figure is as wide as the nights have shown it to
// be: from the smallest to the largest value of the nights, and on either side by as much
// again, at least by the size from which a difference counts (compare.DefaultSizes). So a
// figure that wanders has a wide band, and one that is the same every night a narrow one. Of
// fewer than LeastNights nights there is no band.
package baseline
