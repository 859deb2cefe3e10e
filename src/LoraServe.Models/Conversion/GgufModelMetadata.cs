using System.Globalization;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;
using LoraServe.Models.Loading;
using LoraServe.Models.Spec;
using LoraServe.Models.Text;

namespace LoraServe.Models.Conversion;

/// <summary>What a GGUF file says of a model beside its parameters.</summary>
internal sealed class GgufModelMetadata
{
    // What the new file says anew, or no longer needs.
    private static readonly string[] s_changed = ["general.alignment", "general.file_type", "general.quantization_version"];
    private const string Probe = "The quick brown fox: 12 naïve Füchse,\n  \t«ok»?";
    private readonly ModelText _text;

    private GgufModelMetadata(ModelText text) => _text = text;

    /// <summary>Keys and values.</summary>
    public List<GgufEntry> Entries { get; } = [];

    /// <summary>Tensors that are no parameters of the model.</summary>
    public List<TensorToEncode> Tensors { get; } = [];

    /// <summary>A file's own metadata.</summary>
    public static IReadOnlyCollection<GgufEntry> Copy(GgufFile file, ElementType type) =>
        [.. file.Metadata.Keys.Where(key => !s_changed.Contains(key) && !key.StartsWith("split.", StringComparison.Ordinal)).Select(file.Metadata.Entry), .. Stored(type)];

    /// <summary>A Hugging Face model's.</summary>
    /// <exception cref="ModelFormatException">It has a form of rope that has no keys.</exception>
    public static GgufModelMetadata Of(ModelSource source, ElementType type)
    {
        var made = new GgufModelMetadata(source.Text);
        TransformerSpec spec = source.Spec;
        string architecture = source.Architecture.GgufName;
        made.Entries.AddRange(
        [
            GgufEntry.Of("general.architecture", architecture),
            GgufEntry.Of("general.name", source.Name),
            .. Stored(type),
            Number("context_length", Positions(spec)),
            Number("embedding_length", spec.Width),
            Number("block_count", spec.LayerCount),
            Number("feed_forward_length", spec.FeedForwardWidth),
            Number("attention.head_count", spec.QueryHeads),
            Number("attention.head_count_kv", spec.KeyValueHeads),
            Number("attention.key_length", spec.HeadSize),
            Number("attention.value_length", spec.HeadSize),
            GgufEntry.Of($"{architecture}.attention.layer_norm_rms_epsilon", spec.NormEpsilon),
            Number("rope.dimension_count", spec.HeadSize),
            Number("vocab_size", spec.VocabularySize),
            GgufEntry.Of($"{architecture}.rope.freq_base", (float)spec.Rope.Theta),
        ]);
        made.AddRope(spec, architecture, source.Path);
        made.AddText(source);
        return made;

        GgufEntry Number(string name, int value) => GgufEntry.Of($"{architecture}.{name}", (uint)value);
    }

    /// <summary>Says so where the tokenizer that was written is not the model's in every respect.</summary>
    public void NoteTokenizer(ModelText written, List<string> notes)
    {
        if (_text.Tokenizer is not { } tokenizer)
        {
            notes.Add("The model has no tokenizer.json: the file has no tokenizer.");
        }
        else if (written.Tokenizer is not { } again || !tokenizer.Encode(Probe, addSpecialTokens: true).AsSpan().SequenceEqual(again.Encode(Probe, addSpecialTokens: true)))
        {
            notes.Add("The files beside tokenizer.json change what it does (begin or end tokens); the GGUF file has tokenizer.json alone.");
        }
        else
        {
            notes.Add("The tokenizer is written as tokenizer.huggingface.json, which LoraServe reads; llama.cpp needs tokenizer.ggml keys, which its own converter writes.");
        }
    }

    private static GgufEntry[] Stored(ElementType type) => [GgufEntry.Of("general.quantization_version", 2u), GgufEntry.Of("general.file_type", FileType(type))];

    // llama.h, enum llama_ftype.
    private static uint FileType(ElementType type) => type switch
    {
        ElementType.F32 => 0,
        ElementType.F16 => 1,
        ElementType.Q4_0 => 2,
        ElementType.Q4_1 => 3,
        ElementType.Q8_0 => 7,
        ElementType.Q4_K => 14,
        ElementType.Q6_K => 18,
        ElementType.BF16 => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a type that files are written in"),
    };

    private static int Positions(TransformerSpec spec) => spec.Rope.Scaling == RopeScaling.Linear ? (int)Math.Round(spec.ContextLength / spec.Rope.Factor) : spec.ContextLength;

    private void AddRope(TransformerSpec spec, string architecture, string path)
    {
        RopeSpec rope = spec.Rope;
        string prefix = $"{architecture}.rope.scaling.";
        switch (rope.Scaling)
        {
            case RopeScaling.None:
                break;
            case RopeScaling.Linear:
                Entries.AddRange([GgufEntry.Of(prefix + "type", "linear"), GgufEntry.Of(prefix + "factor", (float)rope.Factor)]);
                break;
            case RopeScaling.Llama3:
                float[] scaled = new float[spec.HeadSize / 2];
                float[] plain = new float[spec.HeadSize / 2];
                rope.InverseFrequencies(spec.ContextLength, scaled);
                (rope with { Scaling = RopeScaling.None }).InverseFrequencies(spec.ContextLength, plain);
                Tensors.Add(new TensorToEncode("rope_freqs.weight", Tensor.FromFloats("rope_freqs.weight", [.. plain.Zip(scaled, (a, b) => a / b)], plain.Length), IsMatrix: false));
                break;
            default:
                throw new ModelFormatException(path, string.Create(CultureInfo.InvariantCulture, $"has rope scaling {rope.Scaling}, which is not written to GGUF. Convert it with llama.cpp's convert_hf_to_gguf.py"));
        }
    }

    private void AddText(ModelSource source)
    {
        string tokenizer = Path.Combine(source.Path, "tokenizer.json");
        if (File.Exists(tokenizer))
        {
            Entries.Add(GgufEntry.Of(GgufVocabulary.HuggingFaceKey, File.ReadAllText(tokenizer)));
        }

        if (source.Generation.BeginToken is { } begin)
        {
            Entries.Add(GgufEntry.Of(GgufVocabulary.BeginTokenKey, (uint)begin));
        }

        IEnumerable<int> ends = source.Generation.EndToken is { } end ? source.Generation.EndTokens.Where(token => token != end).Prepend(end) : source.Generation.EndTokens;
        foreach ((string key, int token) in GgufVocabulary.EndTokenKeys.Zip(ends))
        {
            Entries.Add(GgufEntry.Of(key, (uint)token));
        }

        if (source.Text.Templates is { } templates)
        {
            Entries.AddRange(templates.ToGguf());
        }
    }
}
