using LoraServe.Models;

namespace LoraServe.Studio.Benchmarks;

/// <summary>Random adapters at q and v, as PEFT directories in a temporary folder that goes with this object.</summary>
public sealed class RandomAdapterFiles : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("loraserve-");

    /// <summary>Writes adapters.</summary>
    /// <param name="model">Their base.</param>
    /// <param name="count">How many.</param>
    /// <param name="rank">Their rank.</param>
    /// <param name="spread">How strong they are.</param>
    public RandomAdapterFiles(Transformer model, int count, int rank, float spread = RandomAdapters.Faint)
    {
        var adapters = new RandomAdapters(model, rank, spread: spread);
        Directories = [.. Enumerable.Range(0, count).Select(index => Path.Combine(_folder.FullName, FormattableString.Invariant($"random-{index}")))];
        for (int index = 0; index < count; index++)
        {
            adapters.Write(Directories[index], index);
        }
    }

    /// <summary>Their directories.</summary>
    public IReadOnlyList<string> Directories { get; }

    /// <inheritdoc />
    public void Dispose() => _folder.Delete(recursive: true);
}
