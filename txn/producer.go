package txn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// ProducerConfig says how a Producer reaches Kafka.
type ProducerConfig struct {
	Client          []kgo.Opt     // seed brokers, TLS, SASL …; settings of the protocol are ours
	TransactionalID string        // empty: an idempotent producer without transactions
	Timeout         time.Duration // of a transaction, and of each step of a commit
	Group           string        // consumer group whose offsets are committed
	Version2        bool          // the cluster runs transactions of version 2 (KIP-890)
	MaxBuffered     int           // bytes waiting to be sent before Produce blocks; 0: kgo's default
	Closing         *sync.WaitGroup
}

// A Producer is one transactional id over one client. After any failed call but SendOffsets it is only good for closing. One
// goroutine uses it.
type Producer struct {
	cfg   ProducerConfig
	cl    *kgo.Client
	ctx   context.Context // of all records: ends when the producer is closed
	stop  context.CancelFunc
	first atomic.Pointer[ProduceError]
	sent  int // records since Begin
}

// ProduceError is the first record of a transaction that was not accepted.
type ProduceError struct {
	Record *kgo.Record
	Err    error
}

func (e *ProduceError) Error() string {
	return fmt.Sprintf("txn: record for %s/%d (key %d bytes, value %d bytes) was not accepted: %v", e.Record.Topic, e.Record.Partition, len(e.Record.Key), len(e.Record.Value), e.Err)
}

func (e *ProduceError) Unwrap() error { return e.Err }

// making guards the making of clients: kgo.NewClient sorts out the codecs of a ProducerBatchCompression option in place, so two
// clients made at once of the same options (Config.Client, shared by all clients of an app and often by several apps)
// would race.
var making sync.Mutex

// NewClient is kgo.NewClient, safe to be called at once with shared options. Nothing of it waits for the network.
func NewClient(opts ...kgo.Opt) (*kgo.Client, error) {
	making.Lock()
	defer making.Unlock()
	return kgo.NewClient(opts...)
}

// NewProducer makes the client; nothing is sent before Init.
func NewProducer(cfg ProducerConfig) (*Producer, error) {
	opts := append([]kgo.Opt{
		kgo.ProducerLinger(5 * time.Millisecond),
		kgo.MaxBufferedRecords(100_000),
	}, cfg.Client...)
	opts = append(opts,
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MetadataMinAge(100*time.Millisecond),
		kgo.MaxVersions(Versions(cfg.Version2)),
		kgo.RetryTimeout(cfg.Timeout),
		kgo.RequestTimeoutOverhead(cfg.Timeout),
	)
	if cfg.MaxBuffered > 0 {
		opts = append(opts, kgo.MaxBufferedBytes(cfg.MaxBuffered))
	}
	if cfg.TransactionalID != "" {
		opts = append(opts, kgo.TransactionalID(cfg.TransactionalID), kgo.TransactionTimeout(cfg.Timeout),
			kgo.ConcurrentTransactionsBackoff(2*time.Millisecond))
	}
	cl, err := NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("txn: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Producer{cfg: cfg, cl: cl, ctx: ctx, stop: stop}, nil
}

// Versions caps the request versions at those whose meaning is built in: from TxnOffsetCommit 6, OffsetCommit 10 and
// OffsetFetch 10 on, topics go by id; TxnOffsetCommit 5 is for transactions of version 2 only.
func Versions(v2 bool) *kversion.Versions {
	const offsetCommit, offsetFetch, txnOffsetCommit = 8, 9, 28
	v := kversion.Stable()
	v.SetMaxKeyVersion(offsetCommit, 9)
	v.SetMaxKeyVersion(offsetFetch, 9)
	v.SetMaxKeyVersion(txnOffsetCommit, 5)
	if !v2 {
		v.SetMaxKeyVersion(txnOffsetCommit, 4)
	}
	return v
}

// Init fences older holders of the transactional id: their open transactions are over when it returns nil.
func (p *Producer) Init(ctx context.Context) error {
	if p.cfg.TransactionalID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	if _, _, err := p.cl.ProducerID(ctx); err != nil {
		return fmt.Errorf("txn: InitProducerId of %q: %w", p.cfg.TransactionalID, err)
	}
	return nil
}

// Begin opens a transaction. It does not block.
func (p *Producer) Begin() error {
	p.first.Store(nil)
	p.sent = 0
	if err := p.cl.BeginTransaction(); err != nil {
		return fmt.Errorf("txn: begin of %q: %w", p.cfg.TransactionalID, err)
	}
	return nil
}

// Produce sends a record in the open transaction. It blocks while the buffer is full. done runs when the record was
// accepted or not, on another goroutine.
func (p *Producer) Produce(r *kgo.Record, done func(*kgo.Record, error)) {
	p.sent++
	p.cl.Produce(p.ctx, r, done)
}

// Done is the promise of records whose offset nobody needs.
func (p *Producer) Done(r *kgo.Record, err error) {
	if err != nil {
		p.Failed(r, err)
	}
}

// Failed notes the first record that was not accepted: it vetoes the commit.
func (p *Producer) Failed(r *kgo.Record, err error) {
	if p.first.Load() == nil {
		p.first.CompareAndSwap(nil, &ProduceError{r, err})
	}
}

// Flush waits until all records are accepted. The deadline is the transaction's: after it the transaction is dead anyway.
func (p *Producer) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	if err := p.cl.Flush(ctx); err != nil {
		return fmt.Errorf("txn: flush of %q: %w", p.cfg.TransactionalID, err)
	}
	// EndTransaction commits even if a record failed: the veto is ours.
	if e := p.first.Load(); e != nil {
		return e
	}
	return nil
}

// End ends the transaction.
func (p *Producer) End(ctx context.Context, commit bool) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	try := kgo.TryAbort
	if commit {
		// Without a record, kgo would answer nil and send nothing, and the offsets stay pending until the timeout.
		if p.sent == 0 {
			return errors.New("txn: transaction without a record")
		}
		try = kgo.TryCommit
	} else if err := p.cl.AbortBufferedRecords(ctx); err != nil {
		return fmt.Errorf("txn: drop buffered records of %q: %w", p.cfg.TransactionalID, err)
	}
	if err := p.cl.EndTransaction(ctx, try); err != nil {
		return fmt.Errorf("txn: EndTxn of %q: %w", p.cfg.TransactionalID, err)
	}
	return nil
}

// Close ends the client. Buffered records are dropped; it does not wait for the network, but Config.Closing does.
func (p *Producer) Close() {
	p.stop()
	p.cfg.Closing.Go(p.cl.Close)
}

// TransactionVersion2 reports whether the cluster runs transactions of version 2 (KIP-890).
func TransactionVersion2(ctx context.Context, cl *kgo.Client) (bool, error) {
	features, err := finalizedFeatures(ctx, cl)
	if err != nil {
		return false, fmt.Errorf("txn: ask for the cluster's features: %w", err)
	}
	return features["transaction.version"] >= 2, nil
}

// retriableOffsets are answers to an offset commit that say: ask again, nothing happened.
func retriableOffsets(err error) bool {
	for _, e := range []error{kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.ConcurrentTransactions} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
