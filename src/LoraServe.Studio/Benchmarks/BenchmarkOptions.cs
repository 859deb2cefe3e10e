namespace LoraServe.Studio.Benchmarks;

/// <summary>What is measured.</summary>
/// <param name="Batches">Sequences in a batch, one measurement for each.</param>
/// <param name="Adapters">Most distinct adapters in a mixed batch.</param>
/// <param name="Rank">Their rank, at q and v.</param>
/// <param name="PromptTokens">Tokens of each prompt.</param>
/// <param name="Tokens">Steps of decoding in one repetition.</param>
/// <param name="Repetitions">How often each measurement is repeated: the best and the median are reported.</param>
public sealed record BenchmarkOptions(IReadOnlyList<int> Batches, int Adapters, int Rank, int PromptTokens, int Tokens, int Repetitions);
