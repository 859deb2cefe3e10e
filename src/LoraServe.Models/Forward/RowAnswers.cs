namespace LoraServe.Models.Forward;

/// <summary>What a device answered about rows of logits, see <see cref="RowQuestion"/>. Reused from step to step.</summary>
public sealed class RowAnswers
{
    private int[] _tokens = [];
    private float[] _logits = [];
    private RowSummary[] _summaries = [];
    private int _greatest;

    /// <summary>Makes room.</summary>
    /// <param name="questions">How many questions.</param>
    /// <param name="greatest">The most of the greatest logits that one of them asks for: all get as many.</param>
    public void Reset(int questions, int greatest)
    {
        _greatest = greatest;
        if (_tokens.Length < questions * greatest)
        {
            (_tokens, _logits) = (new int[questions * greatest], new float[questions * greatest]);
        }

        if (_summaries.Length < questions)
        {
            _summaries = new RowSummary[questions];
        }
    }

    /// <summary>The tokens of the greatest logits, in descending order of these; of equal ones any.</summary>
    public Span<int> Tokens(int question) => _tokens.AsSpan(question * _greatest, _greatest);

    /// <summary>Their logits.</summary>
    public Span<float> Logits(int question) => _logits.AsSpan(question * _greatest, _greatest);

    /// <summary>What is said of the row beside them.</summary>
    public ref RowSummary Summary(int question) => ref _summaries[question];
}
