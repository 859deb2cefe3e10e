using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Gguf;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Config;
using LoraServe.Models.Loading;

namespace LoraServe.Models.Conversion;

/// <summary>Writes models anew: as GGUF or as a Hugging Face directory, with matrices of another stored type.</summary>
public static class ModelConverter
{
    private const string GgufSuffix = ".gguf";

    // What GGUF's writers keep in float32 although it is a matrix: a few rows that choose between experts.
    private static readonly string[] s_floatMatrices = [GgufTensorNames.Linears[SiteRole.Router], GgufTensorNames.Positions];

    // Families whose GGUF files have the parameters that their safetensors have, but for the order of rows.
    private static readonly string[] s_ofBothForms = ["llama", "qwen2"];

    /// <summary>Whether a path is to be a GGUF file rather than a directory.</summary>
    public static bool IsGguf(string path) => path.EndsWith(GgufSuffix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Converts a model.</summary>
    /// <param name="from">A GGUF file or a Hugging Face directory.</param>
    /// <param name="to">A file whose name ends in <c>.gguf</c>, or a directory, which is made.</param>
    /// <param name="options">How.</param>
    /// <exception cref="ModelFormatException">The model is damaged, has values that are not finite, or is of a form that <paramref name="to"/> cannot say.</exception>
    /// <exception cref="TensorFileException">A file of its weights is damaged.</exception>
    /// <exception cref="ArgumentException">The type cannot be written there.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static ConversionReport Convert(string from, string to, ConversionOptions options)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(options);
        if (!(IsGguf(to) ? ConversionOptions.GgufTypes : ConversionOptions.SafetensorsTypes).Contains(options.Type) || (IsGguf(to) && options.Nf4))
        {
            throw new ArgumentException($"{(options.Nf4 ? ConversionOptions.Nf4Name : options.Type)} cannot be written to {to}", nameof(options));
        }

        ModelSource source = ModelLoader.Open(from);
        using ModelWeights weights = Checked(source);
        RequireWritable(source, weights, IsGguf(to));
        var encoder = new TensorEncoder(from, options);
        if (!IsGguf(to))
        {
            Directory.CreateDirectory(to);

            // What can be refused comes before what takes long.
            ModelDirectoryWriter.Write(to, source.Name, weights.Spec, source.Generation, source.Text, options.Type, options.Nf4 ? PlainMaps(weights, source) : null);
            if (!ModelDirectoryWriter.CopyTokenizer(from, to))
            {
                encoder.Notes.Add("The model has no tokenizer that can be written as tokenizer.json. Put one beside the weights to use them elsewhere.");
            }

            SafetensorsFile.Write(Path.Combine(to, "model.safetensors"), encoder.Begin(Parameters(weights, source, isGguf: false)), new Dictionary<string, string> { ["format"] = "pt" });
        }
        else if (source.Files is GgufFile file)
        {
            GgufWriter.Write(to, GgufModelMetadata.Copy(file, options.Type), encoder.Begin(Parameters(file)));
        }
        else
        {
            WriteGguf(to, source, weights, encoder, options);
        }

        return encoder.Report();
    }

    /// <summary>Refuses what would be written as another model: a file whose parameters are not those of the other form, one for one.</summary>
    private static void RequireWritable(ModelSource source, ModelWeights weights, bool toGguf)
    {
        bool isOfBoth = s_ofBothForms.Contains(source.Architecture.Name);
        bool isWritable = source.IsGguf == toGguf
            ? toGguf || (!weights.Spec.CentresNorms && !weights.Spec.LearnsPositions)
            : isOfBoth;
        if (!isWritable)
        {
            throw new ModelFormatException(source.Path, toGguf
                ? $"is a {source.Architecture.Name} model, which is not written to GGUF ({string.Join(" and ", s_ofBothForms)} are). Convert it with llama.cpp's convert_hf_to_gguf.py"
                : $"is a {source.Architecture.Name} model, which is not written to safetensors from this form. Take the model's Hugging Face directory");
        }
    }

    private static ModelWeights Checked(ModelSource source)
    {
        try
        {
            return new ModelWeights(source);
        }
        catch
        {
            source.Files.Dispose();
            throw;
        }
    }

    /// <summary>What is written is read again: a model that GGUF's keys do not say whole would be another one.</summary>
    private static void WriteGguf(string to, ModelSource source, ModelWeights weights, TensorEncoder encoder, ConversionOptions options)
    {
        string unchecked_ = to + ".unchecked" + GgufSuffix;
        try
        {
            GgufModelMetadata metadata = GgufModelMetadata.Of(source, options.Type);
            GgufWriter.Write(unchecked_, metadata.Entries, encoder.Begin([.. metadata.Tensors, .. Parameters(weights, source, isGguf: true)]));
            ModelSource written = GgufSource.Open(unchecked_);
            using (written.Files)
            {
                if (!Fingerprint.SaySame(written.Spec, weights.Spec))
                {
                    throw new ModelFormatException(source.Path, $"is a {source.Architecture.Name} model of a form that is not written to GGUF: rope scaling, windows or sizes would be lost. Convert it with llama.cpp's convert_hf_to_gguf.py");
                }

                metadata.NoteTokenizer(written.Text, encoder.Notes);
            }

            AtomicFile.Move(unchecked_, to);
        }
        catch
        {
            File.Delete(unchecked_);
            throw;
        }
    }

    // Everything as it is, also what this program does not read.
    private static IEnumerable<TensorToEncode> Parameters(GgufFile file)
    {
        if (file.UnsupportedTensors.Count > 0)
        {
            file.GetTensor(file.UnsupportedTensors.Keys.First());
        }

        return file.Tensors.Values.Select(tensor => new TensorToEncode(tensor.Name, tensor, IsMatrix: tensor.Shape.Length > 1
            && tensor.Name.EndsWith(".weight", StringComparison.Ordinal)
            && !Array.Exists(s_floatMatrices, tensor.Name.Contains)
            && ElementTypes.Weights.Contains(tensor.Type)));
    }

    // The head's errors reach every token, the router's choose experts.
    private static bool IsLayerMap(Site site) => site.Role is not (SiteRole.Head or SiteRole.Router);

    private static string[] PlainMaps(ModelWeights weights, ModelSource source) =>
        [.. weights.Linears.Select(linear => linear.Site).Where(site => !IsLayerMap(site)).Select(source.Architecture.HuggingFaceNames.Of)];

    private static IEnumerable<TensorToEncode> Parameters(ModelWeights weights, ModelSource source, bool isGguf)
    {
        ParameterNames names = isGguf ? source.Architecture.GgufNames : source.Architecture.HuggingFaceNames;
        yield return new TensorToEncode(names.Of(Site.Embedding) + ".weight", weights.TokenTable);
        SiteTable sites = weights.Spec.Sites;
        foreach ((Site site, Tensor weight, Tensor? bias) in weights.Linears.Where(linear => linear.Site != Site.Head || !weights.Spec.TiedHead).OrderBy(linear => sites.Index(linear.Site)))
        {
            int[] order = isGguf
                ? GgufRows.Order(source.Architecture.GgufName, site.Role, weights.Spec.Shape(site.Role).Outputs, weights.Spec.HeadSize)
                : weights.RowOrder(site).ToArray();
            yield return new TensorToEncode(names.Of(site) + ".weight", weight, order)
            {
                IsLayerMap = IsLayerMap(site),
                GgufName = source.Architecture.GgufNames.Of(site) + ".weight",
                Expert = site.Expert,
            };
            if (bias is not null)
            {
                yield return new TensorToEncode(names.Of(site) + ".bias", bias, order, IsMatrix: false);
            }
        }

        foreach (NormSite norm in weights.Spec.Sites.Norms)
        {
            yield return new TensorToEncode(names.Of(norm) + ".weight", weights.StoredGains(norm), IsMatrix: false);
        }
    }
}
