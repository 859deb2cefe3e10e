namespace LoraServe.Studio.Benchmarks;

/// <summary>What is measured.</summary>
/// <param name="Batches">Sequences in a batch, one measurement for each.</param>
/// <param name="Adapters">Most distinct adapters in a batch; 0 for none.</param>
/// <param name="Rank">Their rank.</param>
/// <param name="Targets">The linear maps that they change, as PEFT names them.</param>
/// <param name="PromptTokens">Tokens of each prompt.</param>
/// <param name="Tokens">Steps of decoding in one repetition.</param>
/// <param name="StepRows">Most tokens of prompts that are computed at once.</param>
/// <param name="Repetitions">How often each measurement is repeated: the best and the median are reported.</param>
public sealed record BenchmarkOptions(
    IReadOnlyList<int> Batches, int Adapters, int Rank, IReadOnlyList<string> Targets, int PromptTokens, int Tokens, int StepRows, int Repetitions);
