package measure

import (
	"fmt"
	"slices"
	"strconv"
)

// A Spread sums up the rounds of one measurement. The zero Spread is that of no rounds.
type Spread struct {
	N                int
	Median, Min, Max float64
}

// Of returns the spread of values. The median of an even number of values is the mean of the middle two.
func Of(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	mid := len(v) / 2
	median := v[mid]
	if len(v)%2 == 0 {
		median = (v[mid-1] + v[mid]) / 2
	}
	return Spread{N: len(v), Median: median, Min: v[0], Max: v[len(v)-1]}
}

// Format writes the spread as "median (min-max)" with the given number of decimals; one value stands alone, and none is "-".
func (s Spread) Format(decimals int) string {
	switch s.N {
	case 0:
		return "-"
	case 1:
		return number(s.Median, decimals)
	}
	return fmt.Sprintf("%s (%s-%s)", number(s.Median, decimals), number(s.Min, decimals), number(s.Max, decimals))
}

// number writes v with a comma before every third digit of its whole part.
func number(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	whole := len(s)
	if decimals > 0 {
		whole -= decimals + 1
	}
	first := 0
	if s[0] == '-' {
		first = 1
	}
	for i := whole - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
