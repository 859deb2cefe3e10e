using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;
using LoraServe.Torch.Native;

namespace LoraServe.Torch.Forward;

/// <summary>A step's logits in a device's memory. They wait for the device when they are read or asked about, and not before.</summary>
internal sealed class TorchLogits : StepLogits, IDeviceLogits, IDisposable
{
    private Tensor? _logits;
    private NativeBuffer? _here;
    private NativeBuffer? _gathered;

    /// <inheritdoc />
    public override int Count => (int)(_logits?.shape[0] ?? 0);

    /// <inheritdoc />
    public override IDeviceLogits OnDevice => this;

    /// <summary>Becomes those of another step.</summary>
    /// <param name="logits">[rows, V]; becomes its own.</param>
    /// <returns>Itself.</returns>
    public TorchLogits Of(Tensor logits)
    {
        _logits?.Dispose();
        _logits = logits.DetachFromDisposeScope();
        return this;
    }

    /// <inheritdoc />
    public override Rows Read(int first, int count) => count == 0 ? default : HostRows.Fetch(_logits!, first, count, ref _here);

    /// <inheritdoc />
    public void Answer(ReadOnlySpan<RowQuestion> questions, RowAnswers answers)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable noGrad = torch.no_grad();
        int greatest = 1;
        long[] rows = new long[questions.Length];
        for (int i = 0; i < questions.Length; i++)
        {
            greatest = Math.Max(greatest, questions[i].Greatest);
            rows[i] = questions[i].Row;
        }

        try
        {
            Tensor logits = _logits!.index_select(0, torch.tensor(rows, device: _logits.device)).to(ScalarType.Float32);
            (Tensor values, Tensor tokens) = logits.topk(greatest, 1, largest: true, sorted: true);
            List<Tensor> columns = [values.to(ScalarType.Float64), tokens.to(ScalarType.Float64), logits.logsumexp(1, keepdim: true).to(ScalarType.Float64)];
            if (questions.ToArray().Any(question => question.Temperature > 0))
            {
                columns.AddRange(Draw(logits, values.narrow(1, 0, 1), questions));
            }

            Tensor here = torch.cat([.. columns], 1).cpu();
            Copy(MemoryMarshal.Cast<byte, double>(here.bytes), columns.Count > 3, greatest, questions.Length, answers);
        }
        catch (ExternalException failure)
        {
            throw TorchFailure.Of(failure);
        }
    }

    /// <inheritdoc />
    public Rows Gather(ReadOnlySpan<int> rows)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor chosen = _logits!.index_select(0, torch.tensor(rows.ToArray(), dtype: ScalarType.Int64, device: _logits.device));
        return HostRows.Fetch(chosen, 0, rows.Length, ref _gathered);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _logits?.Dispose();
        _logits = null;
        _here?.Dispose();
        _gathered?.Dispose();
    }

    /// <summary>Mass, drawn token and its logit, [n, 1] each.</summary>
    private static IEnumerable<Tensor> Draw(Tensor logits, Tensor greatest, ReadOnlySpan<RowQuestion> questions)
    {
        float[] temperatures = new float[questions.Length];
        double[] randoms = new double[questions.Length];
        for (int i = 0; i < questions.Length; i++)
        {
            (temperatures[i], randoms[i]) = (questions[i].Temperature > 0 ? questions[i].Temperature : 1, questions[i].Random);
        }

        Tensor temperature = torch.tensor(temperatures, questions.Length, 1, device: logits.device);
        Tensor sums = logits.sub(greatest).div(temperature).exp().cumsum(1, ScalarType.Float64);
        Tensor mass = sums.narrow(1, sums.shape[1] - 1, 1);
        Tensor wanted = mass.mul(torch.tensor(randoms, questions.Length, 1, device: logits.device));

        // The second is the last token of any weight: what rounding may not go beyond.
        Tensor drawn = sums.le(wanted).sum(1, keepdim: true).minimum(sums.lt(mass).sum(1, keepdim: true));
        return [mass, drawn.to(ScalarType.Float64), logits.gather(1, drawn).to(ScalarType.Float64)];
    }

    private static void Copy(ReadOnlySpan<double> columns, bool areDrawn, int greatest, int count, RowAnswers answers)
    {
        answers.Reset(count, greatest);
        int width = columns.Length / Math.Max(count, 1);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<double> row = columns.Slice(i * width, width);
            Span<float> logits = answers.Logits(i);
            Span<int> tokens = answers.Tokens(i);
            for (int j = 0; j < greatest; j++)
            {
                (logits[j], tokens[j]) = ((float)row[j], (int)row[greatest + j]);
            }

            ReadOnlySpan<double> rest = row[(2 * greatest)..];
            answers.Summary(i) = areDrawn ? new RowSummary(rest[0], rest[1], (int)rest[2], (float)rest[3]) : new RowSummary(rest[0], double.NaN, -1, float.NaN);
        }
    }
}
