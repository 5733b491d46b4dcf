package metamorphic

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A Failure is a case and a variant of it that show a difference.
type Failure struct {
	Case    *Case
	Variant Variant
	How     string // it was deployed, not run in the variant
	Why     error
}

// Error spells the failure: what differs, how the case was run, its topology, its steps, and the case as a line of JSON.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %d partitions, run %s:\n%v\n", f.Case.Seed, f.Case.Partitions, cmp.Or(f.How, f.Variant.String()), f.Why)
	for _, n := range f.Case.Nodes {
		fmt.Fprintf(&b, "  %v %v", n["op"], n["id"])
		for _, field := range []string{"topics", "topic", "in", "left", "right", "other", "kind", "fn", "key", "value"} {
			if v, ok := n[field]; ok {
				fmt.Fprintf(&b, " %s=%v", field, v)
			}
		}
		b.WriteString("\n")
	}
	for i, s := range f.Case.Steps {
		fmt.Fprintf(&b, "  %3d %s %s=%s @%d partition %s\n", i, s.Topic, shown(s.Key), shown(s.Value), s.Time, f.Case.partition(s))
	}
	fmt.Fprintf(&b, "%s\n", f.Case.JSON())
	return b.String()
}

func (c *Case) partition(s Step) string {
	if s.Key == nil {
		return "any"
	}
	return fmt.Sprint(place(*s.Key, c.Partitions))
}

// Check runs the case of a seed plainly, compares it with the oracle, and runs it in so many variants more, one of them on
// Pebble if disk says so. A failure is shrunk.
func (r *Runner) Check(seed uint64, variants int, disk bool) *Failure {
	c := Generate(seed)
	rnd := rand.New(rand.NewPCG(seed, 3))
	vs := []Variant{{}}
	for i := range variants {
		vs = append(vs, vary(c, rnd, disk && i == 0))
	}
	plain, err := r.try(c, Variant{}, nil)
	if err != nil {
		return r.shrink(&Failure{Case: c, Why: err})
	}
	for _, v := range vs[1:] {
		if _, err := r.try(c, v, plain); err != nil {
			return r.shrink(&Failure{Case: c, Variant: v, Why: err})
		}
	}
	return nil
}

// CheckDeployed runs the case of a seed plainly, and as deployed somehow, and compares both with each other and with the oracle.
func CheckDeployed(ctx context.Context, seed uint64, dir string) *Failure {
	c := Generate(seed)
	plain, err := (&Runner{}).try(c, Variant{}, nil)
	if err != nil {
		return &Failure{Case: c, Why: err}
	}
	d := deploy(c, rand.New(rand.NewPCG(seed, 5)))
	res, err := Deploy(ctx, c, d, dir)
	if err == nil {
		err = agree(c, res)
	}
	if err == nil {
		err = compare(c, plain, res)
	}
	if err != nil {
		return &Failure{Case: c, How: d.String(), Why: err}
	}
	return nil
}

// try runs a case in a variant, and compares it with the plain run, if there is one, and with the oracle.
func (r *Runner) try(c *Case, v Variant, plain *Result) (*Result, error) {
	res, err := r.Run(c, v)
	if err != nil {
		return nil, err
	}
	if err := agree(c, res); err != nil {
		return nil, err
	}
	if plain != nil {
		return res, compare(c, plain, res)
	}
	return res, nil
}

// fails runs a case anew, plainly and in a variant.
func (r *Runner) fails(c *Case, v Variant) error {
	plain, err := r.try(c, Variant{}, nil)
	if err != nil || v == (Variant{}) {
		return err
	}
	_, err = r.try(c, v, plain)
	return err
}

// shrink leaves out what the failure does not need: first of what the variant does, then of the steps, in ever smaller pieces. It
// tries so many runs at most; those on disk take long.
func (r *Runner) shrink(f *Failure) *Failure {
	tries := 400
	fails := func(c *Case, v Variant) error {
		if tries--; v.Pebble {
			tries -= 20
		}
		return r.fails(c, v)
	}
	for again := true; again && tries > 0; {
		again = false
		for _, v := range f.Variant.calmer() {
			if err := fails(f.Case, v); err != nil {
				f.Variant, f.Why, again = v, err, true
				break
			}
		}
		for size := max(1, len(f.Case.Steps)/2); size > 0 && tries > 0; size /= 2 {
			for from := 0; from+size <= len(f.Case.Steps) && tries > 0; {
				less := *f.Case
				less.Steps = slices.Delete(slices.Clone(f.Case.Steps), from, from+size)
				if err := fails(&less, f.Variant); err != nil {
					f.Case, f.Why, again = &less, err, true
				} else {
					from += size
				}
			}
		}
	}
	return f
}
