using LoraServe.Adapters.Edits;
using LoraServe.Compute.Tensors;

namespace LoraServe.Adapters.Files;

/// <summary>The tensors of an adapter file. Each is checked as it is taken, and what nobody takes is known.</summary>
internal sealed class AdapterTensors
{
    private readonly IReadOnlyDictionary<string, Tensor> _tensors;
    private readonly string _prefix;
    private readonly HashSet<string> _taken;

    /// <summary>The tensors of a file.</summary>
    /// <param name="file">The file, for messages.</param>
    /// <param name="tensors">By name.</param>
    /// <param name="prefix">What goes before every name asked for.</param>
    /// <param name="notes">Gets what is unusual and was read all the same.</param>
    public AdapterTensors(string file, IReadOnlyDictionary<string, Tensor> tensors, string prefix, List<string>? notes = null)
        : this(file, tensors, prefix, notes ?? [], new HashSet<string>(StringComparer.Ordinal))
    {
    }

    private AdapterTensors(string file, IReadOnlyDictionary<string, Tensor> tensors, string prefix, List<string> notes, HashSet<string> taken)
    {
        Notes = notes;
        File = file;
        _tensors = tensors;
        _prefix = prefix;
        _taken = taken;
    }

    /// <summary>The file, for messages.</summary>
    public string File { get; }

    /// <summary>What is unusual and was read all the same, or left out: a sentence each.</summary>
    public List<string> Notes { get; }

    /// <summary>Names of the tensors that nobody has taken.</summary>
    public IEnumerable<string> Untaken => _tensors.Keys.Where(name => !_taken.Contains(name)).Order(StringComparer.Ordinal);

    /// <summary>The same file with something else before the names asked for.</summary>
    public AdapterTensors WithPrefix(string prefix) => new(File, _tensors, prefix, Notes, _taken);

    /// <summary>Refuses a file of which nobody has taken every tensor.</summary>
    /// <exception cref="AdapterFormatException">Tensors are left.</exception>
    public void RefuseWhatIsLeft()
    {
        // What older versions of transformers computed and stored along.
        string[] left = [.. Untaken.Where(name => !name.EndsWith(".inv_freq", StringComparison.Ordinal))];
        if (left.Length > 0)
        {
            throw new AdapterFormatException($"{File}: {left.Length} tensors belong to nothing that the base has and the configuration names, first {string.Join(", ", left.Take(4).Select(name => $"'{name}'"))}. Load the adapter on the base it was made for, or save it again.");
        }
    }

    /// <summary>Whether there is such a tensor.</summary>
    public bool Has(string name) => _tensors.ContainsKey(_prefix + name);

    /// <summary>Extents of a tensor that is there.</summary>
    public IReadOnlyList<long> Shape(string name) => _tensors[_prefix + name].Shape;

    /// <summary>Takes a matrix of exactly this shape with finite values.</summary>
    /// <param name="name">Its name without the file's common prefix.</param>
    /// <param name="rows">Expected rows.</param>
    /// <param name="columns">Expected columns.</param>
    /// <param name="because">Where the expected shape comes from.</param>
    /// <exception cref="AdapterFormatException">It is missing, has another shape or type, or holds NaN or infinity.</exception>
    public FloatMatrix Matrix(string name, int rows, int columns, string because) =>
        new(rows, columns, Values(name, because, rows, columns));

    /// <summary>Takes a vector of exactly this length with finite values.</summary>
    /// <inheritdoc cref="Matrix"/>
    public float[] Vector(string name, int length, string because) => Values(name, because, length);

    /// <summary>Takes a tensor of exactly this shape with finite values.</summary>
    /// <inheritdoc cref="Matrix"/>
    public float[] Values(string name, string because, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = Find(name, because, shape);
        if (tensor.Type.IsInteger())
        {
            throw new AdapterFormatException($"{File}: tensor '{tensor.Name}' holds {tensor.Type}; expected floating-point numbers.");
        }

        float[] values = tensor.ToFloats();
        int bad = Array.FindIndex(values, value => !float.IsFinite(value));
        if (bad >= 0)
        {
            throw new AdapterFormatException($"{File}: tensor '{tensor.Name}' holds {values[bad]} at element {bad}; expected finite numbers. The training of this adapter diverged or the file is damaged.");
        }

        _taken.Add(_prefix + name);
        return values;
    }

    /// <summary>Takes a tensor of exactly this shape with integers from 0 to below a limit.</summary>
    /// <param name="name">Its name without the file's common prefix.</param>
    /// <param name="limit">What all are below.</param>
    /// <param name="because">Where the expected shape comes from.</param>
    /// <param name="shape">Expected extents.</param>
    /// <exception cref="AdapterFormatException">It is missing, has another shape or type, or holds something else.</exception>
    public int[] Indices(string name, int limit, string because, params ReadOnlySpan<long> shape)
    {
        Tensor tensor = Find(name, because, shape);
        if (!tensor.Type.IsInteger())
        {
            throw new AdapterFormatException($"{File}: tensor '{tensor.Name}' holds {tensor.Type}; expected integers.");
        }

        long[] values = tensor.ToIntegers();
        int bad = Array.FindIndex(values, value => value < 0 || value >= limit);
        if (bad >= 0)
        {
            throw new AdapterFormatException($"{File}: tensor '{tensor.Name}' holds {values[bad]} at element {bad}; expected integers from 0 to {limit - 1}. The file is damaged, or made for another base.");
        }

        _taken.Add(_prefix + name);
        return Array.ConvertAll(values, value => (int)value);
    }

    private Tensor Find(string name, string because, ReadOnlySpan<long> shape)
    {
        if (!_tensors.TryGetValue(_prefix + name, out Tensor? tensor))
        {
            throw new AdapterFormatException($"{File}: tensor '{_prefix + name}' is missing; expected it with shape [{string.Join(", ", shape.ToArray())}] ({because}). {First()}The file and its configuration do not belong together; save the adapter again.");
        }

        if (!tensor.Shape.AsSpan().SequenceEqual(shape))
        {
            throw new AdapterFormatException($"{File}: tensor '{tensor.Name}' has shape [{string.Join(", ", tensor.Shape)}]; expected [{string.Join(", ", shape.ToArray())}] ({because}). Load it on the base it was made for, or save it again.");
        }

        return tensor;
    }

    private string First() => _tensors.Keys.Order(StringComparer.Ordinal).FirstOrDefault() is { } first ? $"The file has {_tensors.Count} tensors, first '{_tensors[first].Name}'. " : "The file has no tensors. ";
}
