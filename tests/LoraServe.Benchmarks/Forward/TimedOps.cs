using System.Diagnostics;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Models;
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

    public Rows Embed(Transformer weights, TokenBatch batch) => Time("embed", () => ops.Embed(weights, batch));

    public Rows BeginLayer(int layer, Rows x) => ops.BeginLayer(layer, x);

    public Rows Norm(Rows x, NativeBuffer gains, NormSite site, RowGroup rows) => Time("norm", () => ops.Norm(x, gains, site, rows));

    public Rows Linear(Rows x, LinearWeights map, RowGroup rows) => Time("head", () => ops.Linear(x, map, rows));

    public (Rows First, Rows Second) Linear(Rows x, LinearWeights first, LinearWeights second, RowGroup rows) =>
        Time("gate, up", () => ops.Linear(x, first, second, rows));

    public (Rows First, Rows Second, Rows Third) Linear(Rows x, LinearWeights first, LinearWeights second, LinearWeights third, RowGroup rows) =>
        Time("q, k, v", () => ops.Linear(x, first, second, third, rows));

    public Rows AddLinear(Rows residual, Rows x, LinearWeights map, RowGroup rows) =>
        Time(map.Site.Role == SiteRole.Down ? "down" : "output", () => ops.AddLinear(residual, x, map, rows));

    public Rows Rotate(Rows heads, TokenBatch batch) => Time("rotate", () => ops.Rotate(heads, batch));

    public Rows Attend(Rows queries, Rows keys, Rows values, int layer, TokenBatch batch) =>
        Time("attend", () => ops.Attend(queries, keys, values, layer, batch));

    public Rows SiluMultiply(Rows gate, Rows up) => Time("silu", () => ops.SiluMultiply(gate, up));

    public Rows Gather(Rows x, RowGroup rows) => Time("gather", () => ops.Gather(x, rows));

    private T Time<T>(string name, Func<T> operation)
    {
        long start = Stopwatch.GetTimestamp();
        T result = operation();
        _times[name] = _times.GetValueOrDefault(name) + Stopwatch.GetElapsedTime(start);
        return result;
    }
}
