using System.Diagnostics;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Cpu.Forward;
using LoraServe.Models.Forward;

namespace LoraServe.Benchmarks.Forward;

/// <summary>Runs operations and notes how long each kind of them takes.</summary>
internal sealed class TimedOps(EagerOps ops) : IForwardOps<Rows>
{
    private readonly SortedDictionary<string, TimeSpan> _times = [];

    /// <summary>Time by operation since the last call.</summary>
    public SortedDictionary<string, TimeSpan> TakeTimes()
    {
        var times = new SortedDictionary<string, TimeSpan>(_times);
        _times.Clear();
        return times;
    }

    public Rows Embed(TokenBatch batch) => Time("embed", () => ops.Embed(batch));

    public Rows BeginLayer(int layer, Rows x) => ops.BeginLayer(layer, x);

    public Rows Norm(Rows x, NormSite site, RowGroup rows) => Time("norm", () => ops.Norm(x, site, rows));

    public Rows Linear(Rows x, Site site, RowGroup rows) => Time(site.Role == SiteRole.QueryKeyValue ? "q, k, v" : "gate, up", () => ops.Linear(x, site, rows));

    public (Rows First, Rows Second) Linear(Rows x, Site first, Site second, RowGroup rows) =>
        Time("gate, up", () => ops.Linear(x, first, second, rows));

    public (Rows First, Rows Second, Rows Third) Linear(Rows x, Site first, Site second, Site third, RowGroup rows) =>
        Time("q, k, v", () => ops.Linear(x, first, second, third, rows));

    public Rows AddLinear(Rows residual, Rows x, Site site, NormSite? after, RowGroup rows) =>
        Time(site.Role == SiteRole.Down ? "down" : "output", () => ops.AddLinear(residual, x, site, after, rows));

    public Rows AddExperts(Rows residual, Rows x, int layer, NormSite? after, RowGroup rows) => Time("experts", () => ops.AddExperts(residual, x, layer, after, rows));

    public (Rows Queries, Rows Keys, Rows Values) SplitHeads(Rows fused) => Time("split", () => ops.SplitHeads(fused));

    public (Rows Gate, Rows Up) SplitGate(Rows fused) => ops.SplitGate(fused);

    public Rows Rotate(Rows heads, int layer, TokenBatch batch) => Time("rotate", () => ops.Rotate(heads, layer, batch));

    public Rows Attend(Rows queries, Rows keys, Rows values, int layer, TokenBatch batch) =>
        Time("attend", () => ops.Attend(queries, keys, values, layer, batch));

    public Rows AttendPrompts(Rows target, Rows queries, int layer, PromptPlace place, RowGroup rows) =>
        Time("prompts", () => ops.AttendPrompts(target, queries, layer, place, rows));

    public Rows GateMultiply(Rows gate, Rows up) => Time("gate", () => ops.GateMultiply(gate, up));

    public Rows Activate(Rows up) => Time("gate", () => ops.Activate(up));

    public Rows Gather(Rows x, RowGroup rows) => Time("gather", () => ops.Gather(x, rows));

    public Rows Head(Rows x, RowGroup rows) => Time("head", () => ops.Head(x, rows));

    private T Time<T>(string name, Func<T> operation)
    {
        long start = Stopwatch.GetTimestamp();
        T result = operation();
        _times[name] = _times.GetValueOrDefault(name) + Stopwatch.GetElapsedTime(start);
        return result;
    }
}
