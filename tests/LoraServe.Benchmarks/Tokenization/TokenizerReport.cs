using System.Diagnostics;
using System.Globalization;
using System.Text;
using LoraServe.Tokenization;
using Reference = Tokenizers.DotNet.Tokenizer;

namespace LoraServe.Benchmarks.Tokenization;

/// <summary>How fast a text becomes tokens on one thread, as a ratio to the library that most tokenizer files come from, with the files of a folder's folders.</summary>
internal static class TokenizerReport
{
    /// <summary>The text is given in pieces of this length, as prompts would be.</summary>
    private const int PieceLength = 4096;

    private const int Rounds = 5;

    /// <summary>Prints a line for each tokenizer.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="folder">A folder with folders that hold a tokenizer.json.</param>
    /// <param name="textFile">A text in UTF-8.</param>
    public static void Print(TextWriter output, string folder, string textFile)
    {
        string text = File.ReadAllText(textFile);
        string[] pieces = [.. text.Chunk(PieceLength).Select(piece => new string(piece))];
        double megabytes = Encoding.UTF8.GetByteCount(text) / 1e6;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{megabytes:F2} MB, best of {Rounds} rounds on one thread; the first round begins with empty caches"));
        output.WriteLine($"{"tokenizer",-20} {"ratio",8} {"MB/s",8} {"first",8} {"offsets",8} {"library",8} {"tokens",9}");
        foreach (string path in Directory.GetFiles(folder, "tokenizer.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var tokenizer = Tokenizer.FromFile(path);
            using Reference reference = new(path);
            long tokens = 0;
            (double first, double best) = Measure(() => tokens = pieces.Sum(piece => (long)tokenizer.Encode(piece, addSpecialTokens: true).Length));
            (_, double offsets) = Measure(() => pieces.Sum(piece => (long)tokenizer.EncodeWithOffsets(piece, addSpecialTokens: true).Ids.Count));
            (_, double library) = Measure(() => pieces.Sum(piece => (long)reference.Encode(piece).Length));
            string name = Path.GetFileName(Path.GetDirectoryName(path)!);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-20} {library / best,8:F1} {megabytes / best,8:F1} {megabytes / first,8:F1} {megabytes / offsets,8:F1} {megabytes / library,8:F1} {tokens,9}"));
        }
    }

    /// <summary>Seconds of the first round and of the best.</summary>
    private static (double First, double Best) Measure(Func<long> round)
    {
        double[] seconds = new double[Rounds];
        for (int i = 0; i < Rounds; i++)
        {
            long start = Stopwatch.GetTimestamp();
            round();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        return (seconds[0], seconds.Min());
    }
}
