namespace LoraServe.Studio.Benchmarks;

/// <summary>How long it takes until there is an answer.</summary>
/// <param name="Bench">Which benchmark.</param>
/// <param name="Model">The model's name.</param>
/// <param name="WeightBytes">Bytes of its weights in memory.</param>
/// <param name="StartToFirstTokenS">Seconds from the start of the process to the first token, loading included.</param>
/// <param name="ModelLoadS">Seconds to load the model, in the best repetition.</param>
/// <param name="ModelLoadMbPerS">10⁶ bytes of its file's weights a second.</param>
/// <param name="AdapterRank">Rank of the adapter that is loaded, at q and v.</param>
/// <param name="AdapterBytes">Bytes of its weights file.</param>
/// <param name="AdapterLoadMs">Milliseconds from its files to compute form, in the median repetition.</param>
/// <param name="Machine">Where it ran.</param>
public sealed record LoadResult(
    string Bench,
    string Model,
    long WeightBytes,
    double StartToFirstTokenS,
    double ModelLoadS,
    double ModelLoadMbPerS,
    int AdapterRank,
    long AdapterBytes,
    double AdapterLoadMs,
    BenchmarkMachine Machine);
