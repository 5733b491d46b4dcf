package java

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partitions of every topic of the shop.
const partitions = 3

// How much there is of what, and how fast.
const (
	customers  = 40
	items      = 15
	products   = 30
	suppliers  = 6
	categories = 4
	perTick    = 2 // orders
	tick       = 10 * time.Millisecond
	step       = 30   // ms of event time from one order to the next
	paidOf     = 100  // one order in so many is followed by a payment
	late       = 4000 // ms of event time by which an order may be late, within every grace
)

// An order as it was written.
type order struct {
	id, customer, item string
	at                 int64  // event time, ms
	customerRow        string // the customer's row at that time
}

// A payment as it was written, of an order of the same customer or of none.
type payment struct {
	id, customer string
	at           int64
}

// A load writes what happens in the shop, and remembers it. Event time is its own and runs six times as fast as the
// clock. No customer has two orders, or two payments, of one time.
type load struct {
	t      *testing.T
	client *kgo.Client
	app    string
	rnd    *rand.Rand
	stop   context.CancelFunc
	ended  chan struct{}

	mu        sync.Mutex
	now       int64 // event time, ms
	settled   int64 // no order is written that is older: customers' rows were changed then
	version   int   // of customers' rows
	rows      map[string]map[string]string
	orders    []order
	payments  []payment
	used      map[string]bool // who and when
	deleted   int             // products, the first ones
	closings  int
	closeKeys [partitions]string
}

// newLoad begins event time an hour before the clock and more, so that it stays in the past. Nothing is written yet but the tables.
func newLoad(t *testing.T, client *kgo.Client, app string) *load {
	l := &load{t: t, client: client, app: app, rnd: rand.New(rand.NewPCG(1, 2)), ended: make(chan struct{}), used: map[string]bool{},
		now: time.Now().Add(-4*time.Hour).UnixMilli() / 1000 * 1000, rows: map[string]map[string]string{}}
	for _, table := range []string{"customers", "products", "suppliers"} {
		l.rows[table] = map[string]string{}
	}
	for i := 0; slices.Contains(l.closeKeys[:], ""); i++ { // an order for each partition
		key := fmt.Sprintf("close%d", i)
		l.closeKeys[kgo.StickyKeyPartitioner(nil).ForTopic("").Partition(&kgo.Record{Key: []byte(key)}, partitions)] = key
	}
	l.changeCustomers()
	var batch []*kgo.Record
	for range 100 {
		batch = append(batch, l.changeProduct())
	}
	l.write(batch)
	return l
}

// start writes until the test ends or end is called.
func (l *load) start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	go func() {
		defer close(l.ended)
		clock := time.NewTicker(tick)
		defer clock.Stop()
		for ctx.Err() == nil {
			l.tick()
			<-clock.C
		}
	}()
	l.t.Cleanup(l.end)
}

func (l *load) end() {
	l.stop()
	<-l.ended
}

// tick writes some orders, payments for most of them, and a change of a product or a supplier.
func (l *load) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	var batch []*kgo.Record
	for range perTick {
		l.now += step
		o := order{
			id:       fmt.Sprintf("o%d", len(l.orders)),
			customer: fmt.Sprintf("c%d", l.rnd.IntN(customers)),
			item:     fmt.Sprintf("i%d", l.rnd.IntN(items)),
			at:       l.now,
		}
		if l.rnd.IntN(10) == 0 {
			o.at = max(l.settled+1, l.now-l.rnd.Int64N(late))
		}
		o.at = l.unused("order "+o.customer, o.at)
		o.customerRow = l.rows["customers"][o.customer]
		l.orders = append(l.orders, o)
		batch = append(batch, l.record("orders", o.customer, o.id+"|"+o.item, o.at))
		if l.rnd.IntN(paidOf) == 0 {
			p := payment{fmt.Sprintf("p%d", len(l.payments)), o.customer, l.unused("payment "+o.customer, o.at+l.rnd.Int64N(late))}
			l.payments = append(l.payments, p)
			batch = append(batch, l.record("payments", p.customer, p.id, p.at))
		}
	}
	if l.rnd.IntN(10) == 0 {
		batch = append(batch, l.changeProduct())
	}
	l.write(batch)
}

// unused returns the time, or the next one at which nothing of this kind was written for this customer.
func (l *load) unused(what string, at int64) int64 {
	for ; l.used[fmt.Sprint(what, at)]; at++ {
	}
	l.used[fmt.Sprint(what, at)] = true
	return at
}

// changeCustomers gives every customer a new row, at a time that lies between all orders before and all orders after.
func (l *load) changeCustomers() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version++
	l.now += step
	l.settled = l.now
	var batch []*kgo.Record
	for i := range customers {
		c := fmt.Sprintf("c%d", i)
		l.rows["customers"][c] = fmt.Sprintf("%s#%d", c, l.version)
		batch = append(batch, l.record("customers", c, l.rows["customers"][c], l.settled))
	}
	l.write(batch)
}

// changeProduct changes a product or, one time in five, a supplier; one time in six it is deleted. A product that was deleted does
// not come again: a join by foreign key keeps the row of one that is deleted and at once made anew with a supplier that is not there,
// in Kafka Streams as in Millrace, if the second change overtakes the answer to the first.
func (l *load) changeProduct() *kgo.Record {
	table, key, row := "products", fmt.Sprintf("p%d", l.deleted+l.rnd.IntN(products)), ""
	if l.rnd.IntN(5) == 0 {
		table, key = "suppliers", fmt.Sprintf("s%d", l.rnd.IntN(suppliers))
	}
	switch {
	case l.rnd.IntN(6) == 0 && table == "products":
		key = fmt.Sprintf("p%d", l.deleted)
		l.deleted++
	case l.rnd.IntN(6) == 0:
	case table == "suppliers":
		row = fmt.Sprintf("%s#%d", key, l.rnd.IntN(1000))
	default:
		row = fmt.Sprintf("s%d|g%d|%d", l.rnd.IntN(suppliers), l.rnd.IntN(categories), l.rnd.IntN(1000))
	}
	r := l.record(table, key, row, l.now)
	if row == "" {
		r.Value = nil
		delete(l.rows[table], key)
	} else {
		l.rows[table][key] = row
	}
	return r
}

// closeWindows writes an order to each partition, hours later than all others, so that every window is over. Each time it is called it
// is later.
func (l *load) closeWindows() {
	l.closings++
	var batch []*kgo.Record
	for _, key := range l.closeKeys {
		batch = append(batch, l.record("orders", key, "close|close", l.now+int64(l.closings)*1000+2*time.Hour.Milliseconds()))
	}
	l.write(batch)
}

func (l *load) record(topic, key, value string, at int64) *kgo.Record {
	return &kgo.Record{Topic: l.app + "-" + topic, Key: []byte(key), Value: []byte(value), Timestamp: time.UnixMilli(at)}
}

func (l *load) write(batch []*kgo.Record) {
	if err := l.client.ProduceSync(context.Background(), batch...).FirstErr(); err != nil {
		l.t.Errorf("write the load: %v", err)
	}
}
