//! A list that may become long inside a turn of the world.

/// How many items a piece takes before the next begins.
const PIECE: usize = 256;
/// From this number on, items that come at once are a piece of their own and are not moved.
const MANY: usize = 16;

/// Items in the order they came, in pieces: growing moves few of them, and another list's are taken in without looking at them.
#[derive(Debug, Clone)]
pub struct Pieces<T>(Vec<Vec<T>>);

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Pieces(vec![])
    }
}

impl<T> Pieces<T> {
    pub fn push(&mut self, item: T) {
        match self.0.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(item),
            None => self.0.push(vec![item]),
        }
    }

    pub fn append(&mut self, mut items: Vec<T>) {
        match self.0.last_mut().filter(|piece| items.len() < MANY && piece.len() + items.len() <= PIECE) {
            Some(piece) => piece.append(&mut items),
            None => self.0.push(items),
        }
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T> From<Vec<T>> for Pieces<T> {
    fn from(items: Vec<T>) -> Pieces<T> {
        Pieces(vec![items])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stay_in_order_however_they_come() {
        let mut pieces = Pieces::default();
        assert!(pieces.is_empty());
        pieces.append(vec![]);
        assert!(pieces.is_empty());
        (0..1_500).for_each(|n| pieces.push(n));
        pieces.append((1_500..1_600).collect());
        pieces.append((1_600..5_000).collect());
        pieces.push(5_000);
        assert!(pieces.iter().copied().eq(0..=5_000));
        assert!(pieces.0.len() < 11, "{}", pieces.0.len());
    }
}
