using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Models;
using LoraServe.Models.Forward;

namespace LoraServe.Serving.Scheduling;

/// <summary>Runs steps through a model. Owns its pages.</summary>
internal sealed class ModelStepRunner(Transformer model, KvPool pages, WorkerPool pool) : IStepRunner
{
    private readonly TransformerRunner _runner = new(model, pages, pool);

    public int PageCount => pages.PageCount;

    public long ByteLength => pages.ByteLength;

    public Rows Hidden => _runner.Hidden;

    public void CopyPage(int from, int to) => pages.CopyPage(from, to);

    public Rows Forward(TokenBatch batch) => _runner.Forward(batch);

    public void Dispose()
    {
        _runner.Dispose();
        pages.Dispose();
    }
}
