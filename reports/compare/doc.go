// Package compare decides whether configuration B is better or worse than A, from
// runs of both. It is a pure function of their figures: the same runs give the same
// words, in whatever order they came.
//
// # What is compared
//
// The unit is the run of a cell, never the request: the requests of one run share its
// fate. A Block is three runs of one scenario with one seed, and so with one phase: A,
// B, and A again. If B is like A, each of the three is as likely as the others to be the
// odd one, so every block carries its own A/A.
//
// # When B is called worse
//
// In a block a run stands out if it is worse than both others by more than half of the
// size that counts (Sizes). Among equals that is B's run in one of three such blocks.
// A bet at these odds multiplies a stake; if B is like A, the stake reaches 1/p with a
// probability of at most p, however often one looks (Ville 1939; the bets as in
// Shafer, Shen, Vereshchagin, Vovk, "Test Martingales, Bayes Factors and p-Values",
// Statistical Science 26(1), 2011). So the comparison may stop at any block. It is the
// permutation test within blocks, and asks for no distribution: with three runs a
// block and all of B's standing out, p is about 3 to the power of minus the blocks.
//
// The p of all scenarios and measures are corrected by Holm's method (Scandinavian
// Journal of Statistics 6(2), 1979). And the difference has to count: the bootstrap
// interval of its mean over the blocks lies above half of the size, and reaches the
// size. An interval around a true difference of just the size lies on both sides of
// it: a rule that wants the whole of it above the size would never find the smallest
// difference that counts.
//
// # When there is no difference
//
// B is not worse if the interval ends below the size, and if B's run with the size
// taken off was the best of its block so often that a difference of the size would
// have a probability of at most NotWorseError. All measures in all scenarios have to show that, each at this
// level: to ask for all of them needs no correction (Berger, Technometrics 24(4), 1982).
// What is neither shown is "cannot tell".
//
// # What is ours
//
// The bets, the blocks and Holm's method are written here: gonum/stat and
// x/perf/benchmath have no test that remains valid under looking, and none for blocks of
// three. Means and quantiles are gonum's. The tests compare the bets with the exact
// probability of a false alarm, Holm's method and the bootstrap against published
// values.
package compare
