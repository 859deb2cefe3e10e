namespace LoraServe.Tokenization.Text;

/// <summary>Takes the pieces of a text in order: a stage of one encoding run.</summary>
internal interface IPieceSink
{
    void Accept(in TextPiece piece);
}
